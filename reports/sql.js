"use strict";
/* The box for SQL of policylake serve: asks the server, shows rows as text. The query is in the address. */
(() => {
  const form = document.getElementById("box");
  const field = document.getElementById("sql");
  const told = document.getElementById("told");
  const place = document.getElementById("rows");
  const { make, counted } = PL;
  /* Characters side by side on a sheet, and on the sheets that a result may take: some forty. */
  const ACROSS = 120, MOST_ON_PAPER = 300000;

  const button = form.querySelector("button");

  async function ask() {
    button.disabled = true;
    told.textContent = "Running";
    const began = performance.now();
    try {
      const answer = await fetch("/query", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ sql: field.value }) });
      const found = await answer.json();
      if (found.error) { told.textContent = ""; place.replaceChildren(refusal(found.error)); return; }
      told.textContent = counted(found.rows.length, "row") + (found.cut ? ", and more that are not shown" : "") + ", " + Math.round(performance.now() - began) + " ms";
      place.classList.toggle("records", widthOf(found) > ACROSS);
      place.replaceChildren(PL.table("Rows", found.columns, found.rows.map((row) => row.map((value, at) => make("td", { "data-name": PL.visible(found.columns[at]) }, value === null ? make("span", { class: "nil" }, "null") : PL.breakable(value))))),
        make("p", { class: "on-paper minor" }));
    } catch { told.textContent = ""; place.replaceChildren(make("p", { class: "notice", role: "alert" }, "The server does not answer: start policylake serve again.")); } finally { button.disabled = false; }
  }

  /* Words, and below them the line of the query with a mark under the place: a line that must not wrap. */
  function refusal(text) {
    const at = text.search(/\n\s*LINE \d+: /);
    const lines = at < 0 ? null : make("pre", { class: "line", tabindex: "0", role: "region", "aria-label": "Place in the query" }, text.slice(at).replace(/^\s+/, ""));
    return make("div", { class: "notice", role: "alert" }, make("pre", {}, (at < 0 ? text : text.slice(0, at)).trimEnd()), lines);
  }

  /* How wide a table is at least: what does not break, of each column the longest. On paper a wider one has a block for each row. */
  function widthOf(found) {
    const longest = (value) => Math.max(0, ...PL.breakable(value || "").filter((part) => typeof part === "string").flatMap((part) => part.split(/[\s-]/)).map((part) => part.length));
    return found.columns.reduce((sum, name, at) => sum + found.rows.reduce((most, row) => Math.max(most, longest(row[at])), name.length) + 2, 0);
  }

  /* Paper takes the first rows of many, and says how many. */
  window.addEventListener("beforeprint", () => {
    const rows = [...place.querySelectorAll("tbody tr")];
    if (!rows.length) return;
    const names = place.matches(".records") ? place.querySelector("thead").textContent.length : 0;
    let left = MOST_ON_PAPER;
    for (const row of rows) { row.classList.toggle("on-screen", left < 0); left -= row.textContent.length + names; }
    const printed = rows.filter((row) => !row.matches(".on-screen")).length;
    place.querySelector("p.on-paper").replaceChildren(...printed < rows.length
      ? ["Printed: the first " + PL.number(printed) + " of " + counted(rows.length, "row") + ". ", make("code", {}, "policylake sql --out rows.csv"), " writes all of them to a file."] : []);
  });

  form.addEventListener("submit", (event) => { event.preventDefault(); PL.writeHash({ q: field.value }); ask(); });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  const which = document.getElementById("which");
  which.addEventListener("input", () => {
    const text = which.value.toLowerCase();
    for (const one of document.querySelectorAll(".relation")) one.hidden = !one.textContent.toLowerCase().includes(text);
  });
  /* A link fills the box and does not run it; rows of another query go. */
  const example = field.value;
  const fill = () => {
    const given = PL.readHash().get("q") || example;
    if (given === field.value) return;
    field.value = given;
    told.textContent = "";
    place.replaceChildren();
  };
  window.addEventListener("hashchange", fill);
  fill();
  /* Until here a click would have gone nowhere. */
  button.disabled = false;
})();
