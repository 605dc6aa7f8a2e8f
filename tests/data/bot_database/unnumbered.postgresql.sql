CREATE TABLE cursors (
    list VARCHAR(100) NOT NULL,
    position TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (list)
);
CREATE TABLE leases (
    name VARCHAR(40) NOT NULL,
    token VARCHAR(40) NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE links (
    parent VARCHAR(1000) NOT NULL,
    child VARCHAR(1000) NOT NULL,
    PRIMARY KEY (parent, child)
);
CREATE INDEX links_by_child ON links (child);
CREATE TABLE mails (
    msgid VARCHAR(1000) NOT NULL,
    list VARCHAR(100) NOT NULL,
    seen BIGINT NOT NULL,
    posted BIGINT NOT NULL,
    sender TEXT NOT NULL,
    is_patch INTEGER NOT NULL,
    series VARCHAR(40),
    head TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    patch_id VARCHAR(40),
    hints TEXT,
    due BIGINT,
    raw BYTEA,
    PRIMARY KEY (msgid)
);
CREATE INDEX mails_by_due ON mails (due);
CREATE INDEX mails_by_seen ON mails (seen);
CREATE INDEX mails_by_sender ON mails (sender, posted);
CREATE INDEX mails_by_series ON mails (series);
CREATE TABLE reports (
    key VARCHAR(40) NOT NULL,
    made BIGINT NOT NULL,
    answer VARCHAR(20) NOT NULL,
    sentence TEXT NOT NULL,
    facts TEXT NOT NULL,
    document BYTEA NOT NULL,
    page BYTEA NOT NULL,
    decision TEXT,
    PRIMARY KEY (key)
);
CREATE TABLE sayings (
    id VARCHAR(40) NOT NULL,
    key VARCHAR(40) NOT NULL,
    lineage VARCHAR(40) NOT NULL,
    channel VARCHAR(20) NOT NULL,
    state VARCHAR(20) NOT NULL,
    reason TEXT NOT NULL,
    said TEXT NOT NULL,
    message BYTEA NOT NULL,
    msgid VARCHAR(1000) NOT NULL,
    decided BIGINT NOT NULL,
    claimed BIGINT,
    sent BIGINT,
    error TEXT,
    author TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX sayings_by_decided ON sayings (decided);
CREATE INDEX sayings_by_key ON sayings (key);
CREATE INDEX sayings_by_lineage ON sayings (lineage);
CREATE TABLE series (
    key VARCHAR(40) NOT NULL,
    lineage VARCHAR(40) NOT NULL,
    list VARCHAR(100) NOT NULL,
    msgid VARCHAR(1000) NOT NULL,
    version INTEGER NOT NULL,
    expected INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    subject TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author TEXT NOT NULL,
    posted BIGINT NOT NULL,
    found BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    admitted BIGINT,
    finished BIGINT,
    tries INTEGER NOT NULL,
    rounds INTEGER NOT NULL,
    worker VARCHAR(100),
    error TEXT,
    has_cover INTEGER NOT NULL,
    change_id TEXT,
    hints TEXT,
    work TEXT NOT NULL,
    superseded_by VARCHAR(40),
    PRIMARY KEY (key)
);
CREATE INDEX series_by_author ON series (author, posted);
CREATE INDEX series_by_change_id ON series (change_id);
CREATE INDEX series_by_lineage ON series (lineage);
CREATE INDEX series_by_msgid ON series (msgid);
CREATE INDEX series_by_posted ON series (posted);
CREATE INDEX series_by_state ON series (state, found);
CREATE TABLE workers (
    name VARCHAR(100) NOT NULL,
    token VARCHAR(40) NOT NULL,
    beats BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    started BIGINT NOT NULL,
    PRIMARY KEY (name)
);
