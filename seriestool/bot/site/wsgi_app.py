# SPDX-License-Identifier: GPL-2.0-or-later
"""The site and the API as a WSGI application: paths to answers. It reads, and only reads, the bot's database."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

from msgspec import Struct, field

from seriestool.bot.site import site_queries
from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.health import HealthLimits, check_health, metrics_text
from seriestool.bot.site.responses import (
    Environ,
    HttpResponse,
    StartResponse,
    as_json,
    error_response,
    html,
    redirect,
    respond,
)
from seriestool.report.series_index import FEED_ROWS, PAGE_ROWS, Paging, atom_feed, index_page, page_name
from seriestool.util.errors import InputError, OutsideError

FEED = "feed.atom"
_LONGEST_QUERY = 2000
_MOST_PARAMETERS = 20
_MOST_PAGES = 10_000
_METHODS = ("GET", "HEAD")


class SiteContext(Struct, frozen=True):
    """What is served, and how."""

    reader: DatabaseReader
    url: str
    """Where people find it, with `/` at its end: in the feed."""
    clock: Callable[[], float]
    limits: HealthLimits = field(default_factory=HealthLimits)
    on_error: Callable[[Exception], None] = lambda _: None
    """Who is told of a bug of ours."""


class WsgiApp:
    """The application: `WsgiApp(site)(environ, start_response)`."""

    def __init__(self, site: SiteContext) -> None:
        self._site = site

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to one request; whatever happens it is one."""
        try:
            response = self._answer(environ)
        except InputError as error:
            response = error_response(HTTPStatus.BAD_REQUEST, error.message)
        except OutsideError as error:
            response = error_response(HTTPStatus.SERVICE_UNAVAILABLE, error.message, ("Retry-After", "30"))
        except Exception as error:
            self._site.on_error(error)
            response = error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a bug of ours")
        return respond(response, environ, start_response)

    def _answer(self, environ: Environ) -> HttpResponse:
        if environ.get("REQUEST_METHOD") not in _METHODS:
            return error_response(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", ("Allow", ", ".join(_METHODS)))
        path = path_of(environ)
        for pattern, view in _ROUTES:
            if found := pattern.fullmatch(path):
                return view(self._site, found, environ)
        return _nothing()


def path_of(environ: Environ) -> str:
    """The path, percent-decoded; bytes that are not UTF-8 become U+FFFD (WSGI has them as Latin-1)."""
    return str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")


def _parameters(environ: Environ) -> dict[str, str]:
    query = str(environ.get("QUERY_STRING", ""))
    if len(query) > _LONGEST_QUERY:
        raise InputError("the query is too long")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise InputError("the query has too many parameters") from error
    if len({name for name, _ in pairs}) < len(pairs):
        raise InputError("a parameter is given twice")
    return {name: value for name, value in pairs if value}


def _nothing() -> HttpResponse:
    return error_response(HTTPStatus.NOT_FOUND, "there is nothing here")


def index(reader: DatabaseReader, number: int, now: float) -> str | None:
    """The page of that number of the index; None where there is none."""
    pages = max(1, -(-site_queries.count_series(reader) // PAGE_ROWS))
    if not 1 <= number <= pages:
        return None
    paging = Paging(
        number, pages, page_name(number - 1) if number > 1 else None, page_name(number + 1) if number < pages else None
    )
    rows = site_queries.index_rows(reader, (number - 1) * PAGE_ROWS, PAGE_ROWS)
    return index_page(rows, datetime.fromtimestamp(now, UTC), paging, FEED)


def feed(reader: DatabaseReader, url: str, now: float) -> str:
    """The feed of the newest reports."""
    return atom_feed(site_queries.feed_rows(reader, FEED_ROWS), url, datetime.fromtimestamp(now, UTC))


def _index(site: SiteContext, found: re.Match[str], _: Environ) -> HttpResponse:
    text = index(site.reader, int(found["number"] or 1), site.clock() // 60 * 60)
    return html(text.encode("utf-8", "replace")) if text is not None else _nothing()


def _feed(site: SiteContext, _: re.Match[str], __: Environ) -> HttpResponse:
    text = feed(site.reader, site.url, site.clock())
    return HttpResponse(HTTPStatus.OK, "application/atom+xml; charset=utf-8", text.encode("utf-8", "replace"))


def _page(site: SiteContext, found: re.Match[str], _: Environ) -> HttpResponse:
    page = site_queries.find_page(site.reader, found["key"])
    return html(page.text, page.made) if page else _nothing()


def _document(site: SiteContext, found: re.Match[str], _: Environ) -> HttpResponse:
    document = site_queries.find_document(site.reader, found["key"])
    return HttpResponse(HTTPStatus.OK, "application/json", document.text, document.made) if document else _nothing()


def _by_msgid(site: SiteContext, found: re.Match[str], _: Environ) -> HttpResponse:
    msgid = found["msgid"].removesuffix("/").strip("<>")
    key = site_queries.find_key(site.reader, msgid) or site_queries.find_key(site.reader, found["msgid"])
    return redirect(f"/series/{key}/") if key else _nothing()


def _slash(_: SiteContext, found: re.Match[str], __: Environ) -> HttpResponse:
    return redirect(f"/series/{found['key']}/")


def _api_series(site: SiteContext, _: re.Match[str], environ: Environ) -> HttpResponse:
    return as_json(site_queries.find_series(site.reader, site_queries.parse_query(_parameters(environ))))


def _api_one(site: SiteContext, found: re.Match[str], _: Environ) -> HttpResponse:
    one = site_queries.find_one(site.reader, found["key"])
    return as_json(one) if one else _nothing()


def _api_lists(site: SiteContext, _: re.Match[str], __: Environ) -> HttpResponse:
    return as_json(site_queries.find_lists(site.reader))


def _health(site: SiteContext, _: re.Match[str], __: Environ) -> HttpResponse:
    health = check_health(site.reader, int(site.clock()), site.limits).to_dict()
    return as_json(health, HTTPStatus.OK if health["ok"] else HTTPStatus.SERVICE_UNAVAILABLE, is_kept=False)


def _metrics(site: SiteContext, _: re.Match[str], __: Environ) -> HttpResponse:
    text = metrics_text(site.reader, int(site.clock())).encode("utf-8", "replace")
    return HttpResponse(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", text, is_kept=False)


View = Callable[[SiteContext, re.Match[str], Environ], HttpResponse]
_KEY = r"(?P<key>[0-9a-f]{1,40})"
_ROUTES: tuple[tuple[re.Pattern[str], View], ...] = tuple(
    (re.compile(pattern, re.ASCII | re.DOTALL), view)
    for pattern, view in (
        (r"/(?:index(?:-(?P<number>[1-9]\d{0,3}))?\.html)?", _index),
        (r"/(?:feed\.atom|atom\.xml)", _feed),
        (rf"/series/{_KEY}/", _page),
        (rf"/series/{_KEY}", _slash),
        (rf"/series/{_KEY}\.json", _document),
        (r"/r/(?P<msgid>.{1,1002})", _by_msgid),
        (r"/api/series", _api_series),
        (rf"/api/series/{_KEY}", _api_one),
        (r"/api/lists", _api_lists),
        (r"/health", _health),
        (r"/metrics", _metrics),
    )
)
