"use strict";
(function () {
  const form = document.getElementById("search");
  const box = document.getElementById("wanted");
  const said = document.getElementById("found");
  const rows = Array.from(document.querySelectorAll("#series > li"), (row) => [row, row.textContent.toLowerCase()]);
  function show() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      const fits = words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    said.textContent = words.length ? count + " of " + rows.length + " series" : "";
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", show);
  form.hidden = rows.length === 0;
  show();
})();
