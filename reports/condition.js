"use strict";
/* The page of one condition, named by the address: who depends on it, a request that passes, and what makes it fail. */
(() => {
  const main = document.getElementById("condition");
  const { make, number, counted } = PL;
  const FEW = 30;
  let turn = 0;

  async function show() {
    const { name: id, assumed } = PL.address();
    const own = ++turn;
    try {
      const index = await PL.load("index");
      const found = await find(index, id);
      if (own !== turn) return;
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such condition"), make("p", {}, make("code", {}, id || "(none)"), " is not in this report. Look for it in the ", PL.link("conditions.html", "list of conditions"), "."));
        return;
      }
      await draw(index, found, assumed);
    } catch (error) { PL.failed(error, main); }
  }

  async function find(index, id) {
    for (const [first, key] of index.words) {
      const run = await PL.load(key);
      const place = run.findIndex((one) => one[0] === id);
      if (place >= 0) return { place: first + place, told: run[place] };
    }
    return null;
  }

  async function draw(index, { place, told }, assumed) {
    const [id, words, keys, witness, change, count, accounts, actions, first] = told;
    document.title = "Condition · policylake";
    const bar = make("div", {});
    const verdict = make("p", { class: "again", role: "status" });
    const taken = TAKEN.fields(bar, (reading) => verdict.replaceChildren(...(reading
      ? [PL.verdict(reading.verdictOf(place)), { a: " Every such request meets it.", d: " No such request meets it.", c: " It depends on what is left open." }[reading.verdictOf(place)]] : [])));
    taken.written(() => PL.writeNamed(id, taken.values()));
    main.replaceChildren(
      make("h1", { class: "condition" }, words.replaceAll(FORMULA.OWN_ACCOUNT, "‹own account›")),
      make("dl", { class: "facts" }, make("dt", {}, "Keys"), make("dd", {}, keys.length ? make("code", {}, keys.join(", ")) : "none: the resource or the session of the caller decides"), make("dt", {}, "Id"), make("dd", {}, make("code", {}, id))),
      bar, verdict, ...proof(witness, change), whose(index, count, accounts, actions, first, id));
    await taken.fill(assumed);
  }

  function proof(witness, change) {
    if (!witness) return [make("section", { "aria-labelledby": "proof" }, make("h2", { id: "proof" }, "A request that passes"),
      make("p", { class: "nothing" }, "None is stored: whether some request meets it is beyond the method, or it was read again under a scenario."))];
    const passes = JSON.parse(witness);
    const parts = [make("section", { "aria-labelledby": "proof" }, make("h2", { id: "proof" }, "A request that passes"),
      make("p", { class: "minor" }, "One of a principal that has this condition. Keys that are not there are absent from the request."), line(passes, {}))];
    if (change) {
      const changed = JSON.parse(change);
      const fails = { ...passes, ...changed, context: { ...passes.context } };
      for (const [key, value] of Object.entries(changed.context || {})) { if (value === null) delete fails.context[key]; else fails.context[key] = value; }
      parts.push(make("section", { "aria-labelledby": "fails" }, make("h2", { id: "fails" }, "The smallest change that makes it fail"),
        make("ul", {}, differences(passes, changed).map((text) => make("li", {}, text))), line(fails, changed)));
    }
    return parts;
  }

  const told = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

  function differences(passes, changed) {
    const listed = Object.entries(changed.context || {}).map(([key, value]) => (value === null ? key + " is left out"
      : key in passes.context ? key + " is " + told(value) + " in place of " + told(passes.context[key]) : key + " is " + told(value)));
    for (const name of ["principal", "resource"]) if (name in changed) listed.push(name + " is " + changed[name]);
    return listed;
  }

  /* A line of policylake simulate, what was changed marked. */
  function line(request, changed) {
    const rows = JSON.stringify(request, null, 2).split("\n");
    const marks = [...Object.keys(changed.context || {}), ...Object.keys(changed).filter((key) => key !== "context")].map((key) => JSON.stringify(key) + ":");
    return make("pre", { tabindex: "0", "aria-label": "A line of policylake simulate" }, rows.flatMap((row, at) => {
      const text = row + (at + 1 < rows.length ? "\n" : "");
      if (!marks.some((mark) => row.trim().startsWith(mark))) return text;
      const [, before, changed_, after] = /^( *)(.*?)(,?\n?)$/s.exec(text);
      return [before, make("mark", {}, changed_), after];
    }));
  }

  function whose(index, count, accounts, actions, first, id) {
    const numbers = PL.ranges(actions);
    const names = new Map(index.accounts.map(([account, name]) => [account, name || account]));
    const table = PL.table("Principals that depend on it", ["principal", "account", ["actions", "number"]],
      first.map(([arn, name, account, many]) => [make("td", {}, PL.principalLink(arn, name)), make("td", {}, names.get(account) || account), make("td", { class: "number" }, number(many))]));
    return make("section", { "aria-labelledby": "whose" }, make("h2", { id: "whose" }, "Who depends on it"),
      make("p", {}, counted(count, "principal") + (accounts ? " in " + counted(accounts, "account") + (first.some(([, , account]) => !account) ? " and loose documents" : "") : "") + ", for " + counted(numbers.length, "action") + ":"),
      PL.few(numbers, FEW, (some) => PL.actionList(index, some), "actions"),
      table,
      count > first.length ? make("p", { class: "minor" }, number(count - first.length) + (count - first.length === 1 ? " more principal" : " more principals") + ", all of them with: ", make("code", {}, "policylake sql \"from access where condition_id = '" + id + "'\"")) : "");
  }

  window.addEventListener("hashchange", show);
  show();
})();
