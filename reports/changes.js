"use strict";
/* The page of changes: the conditions of both snapshots read again under what is taken for granted. */
(() => {
  const table = document.querySelector("#changes table");
  const again = document.getElementById("again");
  const { make, number } = PL;
  const CHANGE = 2, NOW = 4, BEFORE = 5;
  const WORDS = [["gained", "gained"], ["wider", "wider"], ["narrower", "narrower"], ["lost", "lost"], ["open", "open"], ["same", "no difference"]];
  const MEANING = { gained: "are gained", wider: "are wider", narrower: "are narrower", lost: "are lost", open: "depend on what is left open, or on the resource", same: "make no difference" };
  const taken = TAKEN.fields(document.getElementById("taken"), tell);
  let turn = 0;

  /* What a side comes to: the best of its scopes; n where it has none. */
  const letterOf = (numbers, reading) => PL.best(numbers.map((one) => (one < 0 ? "a" : reading.verdictOf(one))));

  /* What a row comes to. It is about the requests of one scope: where none of them is allowed there, it tells nothing. */
  function wordOf(side, before, now, isSame) {
    const none = (letter) => letter === "d" || letter === "n";
    if (none(before) && none(now)) return "same";
    if (side === "n") return none(now) ? "same" : none(before) ? "gained" : isSame && now === "a" ? (before === "a" ? "same" : "wider") : "open";
    if (side === "o") return none(before) ? "same" : none(now) ? "lost" : isSame && before === "a" ? (now === "a" ? "same" : "narrower") : "open";
    return isSame && none(before) ? "gained" : isSame && none(now) ? "lost" : isSame && before === "a" && now === "a" ? "same" : "open";
  }

  async function tell(reading) {
    const own = ++turn;
    const [asked] = reading ? await Promise.all([PL.load("changes"), PL.whole.has(table) ? PL.whole.get(table)() : null]) : [[]];
    if (own !== turn) return;
    for (const made of table.querySelectorAll(".again")) made.remove();
    PL.carry(table.querySelectorAll('tbody a[href*="principal.html#"]'), taken.values());
    const counts = {};
    [...table.tBodies[0].rows].forEach((row, place) => {
      row.classList.remove("falls");
      if (!reading || !asked[place]) return;
      const [side, old, now, isSame] = asked[place];
      const letters = [letterOf(old, reading), letterOf(now, reading)];
      const word = wordOf(side, ...letters, Boolean(isSame));
      counts[word] = (counts[word] || 0) + 1;
      row.classList.toggle("falls", word === "same");
      const show = (cell, ...parts) => row.cells[cell].append(make("div", { class: "again" }, ...parts));
      for (const [cell, numbers, letter] of [[BEFORE, old, letters[0]], [NOW, now, letters[1]]]) {
        if (numbers.some((one) => one >= 0)) show(cell, PL.again(letter));
      }
      if ([...old, ...now].some((one) => one >= 0)) show(CHANGE, make("span", { class: "minor" }, "as read again: " + WORDS.find(([one]) => one === word)[1]));
    });
    again.textContent = reading ? "Of " + number(asked.filter(Boolean).length) + " rows, for such requests "
      + WORDS.filter(([word]) => counts[word]).map(([word]) => number(counts[word]) + " " + (counts[word] === 1 ? MEANING[word].replace(/^are/, "is").replace(/^(depend|make)/, "$1s") : MEANING[word])).join(", ") + "."
      + (asked.includes(null) ? " " + number(asked.filter((one) => !one).length) + " rows are of policies and are not read again." : "") : "";
  }

  const read = () => taken.fill(Object.fromEntries(PL.readHash()));
  taken.written(() => PL.writeHash({ ...Object.fromEntries(PL.readHash()), ...taken.values() }));
  window.addEventListener("hashchange", read);
  read();
})();
