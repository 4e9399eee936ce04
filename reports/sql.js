"use strict";
/* The box for SQL of policylake serve: asks the server, shows rows as text. The query is in the address. */
(() => {
  const form = document.getElementById("box");
  const field = document.getElementById("sql");
  const told = document.getElementById("told");
  const place = document.getElementById("rows");
  const { make, counted } = PL;

  const button = form.querySelector("button");

  async function ask() {
    button.disabled = true;
    told.textContent = "Running";
    const began = performance.now();
    try {
      const answer = await fetch("/query", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ sql: field.value }) });
      const found = await answer.json();
      if (found.error) { told.textContent = ""; place.replaceChildren(make("div", { class: "notice", role: "alert" }, make("pre", {}, found.error))); return; }
      told.textContent = counted(found.rows.length, "row") + (found.cut ? ", and more that are not shown" : "") + ", " + Math.round(performance.now() - began) + " ms";
      place.replaceChildren(PL.table("Rows", found.columns, found.rows.map((row) => row.map((value) => make("td", {}, value === null ? make("span", { class: "nil" }, "null") : value)))));
    } catch { told.textContent = ""; place.replaceChildren(make("p", { class: "notice", role: "alert" }, "The server does not answer: start policylake serve again.")); } finally { button.disabled = false; }
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); PL.writeHash({ q: field.value }); ask(); });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  const which = document.getElementById("which");
  which.addEventListener("input", () => {
    const text = which.value.toLowerCase();
    for (const one of document.querySelectorAll(".relation")) one.hidden = !one.textContent.toLowerCase().includes(text);
  });
  /* A link fills the box and does not run it. */
  const given = PL.readHash().get("q");
  if (given) field.value = given;
  /* Until here a click would have gone nowhere. */
  button.disabled = false;
})();
