"use strict";
/* An action's page: its conditional principals read again under what is taken for granted. */
(() => {
  const section = document.querySelector("[data-demands]");
  const again = document.getElementById("again");
  const counted = section.dataset.demands.split(",").map((part) => part.split(":").map(Number));
  const groups = [...section.querySelectorAll("[data-demand]")];
  const links = document.querySelectorAll('a[href*="principal.html#"], a[href*="matrix.html#"]');
  const taken = TAKEN.fields(document.getElementById("taken"), tell);
  const WORDS = { a: "would be allowed", c: "would still depend on the request", d: "would be denied" };

  const name = document.querySelector("h1").textContent;
  const picture = document.querySelector("svg.bar");
  const figures = [...document.querySelectorAll(".legend li")].map((one) => [one.querySelector(".verdict").textContent.trim(), one.querySelector(".figure")]);
  const stored = Object.fromEntries(figures.map(([word, figure]) => [word, Number(figure.textContent.replaceAll(",", ""))]));

  /* Numbers and picture above, each number with its rows in the matrix. */
  function total(counts) {
    for (const [word, figure] of figures) {
      const address = { action: name, verdict: word, ...taken.values() };
      figure.replaceChildren(counts[word] ? PL.link("matrix.html#" + PL.spelt(address), PL.number(counts[word]), "quiet") : PL.make("span", { class: "nil" }, "0"));
    }
    const sum = Object.values(counts).reduce((one, other) => one + other, 0);
    picture.replaceChildren(...PL.bar(figures.map(([word]) => ["f-" + word, counts[word]]), sum).children);
    picture.setAttribute("aria-label", name + ": " + figures.map(([word]) => counts[word] + " " + word).join(", "));
  }

  const badge = (letter) => PL.make("p", { class: "again" }, PL.again(letter));

  function tell(reading) {
    for (const made of document.querySelectorAll(".again")) made.remove();
    for (const group of groups) group.classList.toggle("falls", Boolean(reading) && reading.cellOf(Number(group.dataset.demand)) === "d");
    PL.carry(links, taken.values());
    again.replaceChildren();
    if (!reading) { total(stored); return; }
    const counts = { a: 0, c: 0, d: 0 };
    for (const [demand, count] of counted) counts[reading.cellOf(demand)] += count;
    const all = counts.a + counts.c + counts.d;
    total({ ...stored, allowed: stored.allowed + counts.a, conditional: counts.c, denied: stored.denied + counts.d });
    again.append("Of " + PL.counted(all, "conditional principal") + " "
      + ["a", "d", "c"].filter((letter) => counts[letter]).map((letter) => PL.number(counts[letter]) + " " + WORDS[letter]).join(", ") + ".");
    for (const group of groups) {
      group.prepend(badge(reading.cellOf(Number(group.dataset.demand))));
      const scopes = [...group.querySelectorAll("[data-condition]")];
      if (scopes.length > 1) for (const scope of scopes) scope.before(badge(reading.verdictOf(Number(scope.dataset.condition))));
    }
  }

  const read = () => taken.fill(Object.fromEntries(PL.readHash()));
  taken.written(() => PL.writeHash(taken.values()));
  window.addEventListener("hashchange", read);
  read();
})();
