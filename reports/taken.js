"use strict";
/* What is taken for granted of requests: a scenario, and keys that a reader gives values. Reads conditions again under it. */
const TAKEN = (() => {
  const { make } = PL;
  let all = null; /* everything that a reading needs, loaded once */

  async function load() {
    if (!all) {
      const index = await PL.load("index");
      const [facts, formulas, demands] = await Promise.all([PL.load("facts"), pieces(index.formulas), pieces(index.demands)]);
      all = { index, facts, demands: demands.flat(), pieces: formulas.map(FORMULA.read) };
      all.places = all.pieces.flatMap((piece) => piece.formulas.map((_, place) => [piece, place]));
    }
    return all;
  }

  const pieces = (listed) => Promise.all(listed.map(([, key]) => PL.load(key)));

  /* Keys with one value that is an id or a region: neither has commas or wildcards, which are meant as several. */
  const PLAIN = /^aws:source(vpc|vpce|account)$|region$/;

  /* The keys of "key=value key=one,two": a comma separates the values of a key with many, nothing after = is a key that is absent.
     A value with spaces stands in double quotes. `names` has each key as it was written. Throws an Error that says what is wrong. */
  function parse(text, facts) {
    const given = new Map(), names = new Map();
    for (const [word] of text.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
      const cut = word.indexOf("=");
      const name = word.slice(0, cut).replaceAll('"', "");
      if (cut < 0 || !name.includes(":")) throw new Error(word + ": a key with its value is expected, such as aws:SourceVpce=vpce-111bbccc");
      const key = FORMULA.oneSpelling(name);
      if (facts.ofCaller.includes(key)) throw new Error(name + ": it tells who calls, which is known of each principal; leave it out");
      const [, type, isMany] = facts.keys[key] || [name, null, 1];
      const value = word.slice(cut + 1).replaceAll('"', "");
      const values = isMany ? value.split(",").filter(Boolean) : value ? [value] : [];
      if (!isMany && PLAIN.test(key) && /[,*?]/.test(value)) throw new Error(name + ": one value is expected, without commas and wildcards; ask for each by itself");
      for (const one of values) {
        const wrong = FORMULA.wrong(type, one);
        if (wrong) throw new Error(name + ": “" + one + "” cannot be its value; " + wrong);
      }
      if (given.has(key)) throw new Error(name + ": given twice; write it once" + (isMany ? ", its values with commas between them" : ""));
      given.set(key, values);
      names.set(key, name);
    }
    return { given, names };
  }

  /* How conditions are read under a scenario and given keys; null where neither is given, unless `always` is.
     Throws an Error that says what is wrong. */
  async function reading(scenario, text, always) {
    const { facts, pieces: read, places, demands } = await load();
    const chosen = facts.fixed || scenario;
    const { given, names } = parse(text, facts);
    if (chosen && !facts.scenarios.some((one) => one.name === chosen)) throw new Error("scenario " + chosen + ": this report has none of that name");
    if (!given.size && (!chosen || facts.fixed) && !always) return null;
    const taken = FORMULA.state(facts, chosen || null, [...given]);
    const verdicts = new Map(), cells = new Map();
    const verdictOf = (number) => {
      if (!verdicts.has(number)) verdicts.set(number, FORMULA.verdict(...places[number], taken));
      return verdicts.get(number);
    };
    const cellOf = (demand) => {
      if (!cells.has(demand)) cells.set(demand, FORMULA.cell(demands[demand], verdictOf));
      return cells.get(demand);
    };
    const of = facts.scenarios.find((one) => one.name === chosen);
    const unasked = [...given.keys()].filter((key) => !(facts.keys[key] || [])[3]);
    /* The verdicts of conditions on one resource whose tags are known. */
    const onResource = (arn, tags, account) => {
      const own = FORMULA.onResource(taken, arn, tags, account);
      return (number) => FORMULA.verdict(...places[number], own);
    };
    return { verdictOf, cellOf, onResource, title: [of ? of.title : "", text.trim()].filter(Boolean).join(", "), unasked: unasked.map((key) => (facts.keys[key] || [names.get(key)])[0]),
      said: [...taken.facts.values()].map((fact) => fact.said || FORMULA.said(fact, facts.keys)), scenario: of || null };
  }

  /* The fields for it, and a line that says what follows from it. `changed` gets the reading whenever it is another. */
  function fields(place, changed, always) {
    const select = make("select", { name: "scenario" }, make("option", { value: "" }, "any request"));
    const field = make("input", { type: "search", name: "if", list: "taken-keys", placeholder: "aws:SourceVpce=vpce-111bbccc", autocomplete: "off", spellcheck: "false" });
    const list = make("datalist", { id: "taken-keys" });
    const status = make("div", { class: "taken-status", role: "status" });
    const ofScenario = make("label", {}, "Scenario ", select);
    place.replaceChildren(make("form", { class: "filters taken", "aria-label": "What is taken for granted" }, ofScenario,
      make("label", { class: "what-if" }, "What if ", field), list), status);
    place.firstChild.addEventListener("submit", (event) => event.preventDefault());
    let turn = 0;
    const filled = load().then(({ facts }) => {
      if (facts.fixed || !facts.scenarios.length) ofScenario.hidden = true;
      for (const one of facts.scenarios) select.append(make("option", { value: one.name, title: one.description }, one.title));
      list.replaceChildren(...Object.values(facts.keys).filter((key) => key[3]).map((key) => make("option", { value: key[0] + "=" })));
    });

    async function apply() {
      const own = ++turn;
      try {
        await filled;
        const read = await reading(select.value, field.value, always);
        if (own !== turn) return;
        tell(read);
        field.removeAttribute("aria-invalid");
        await changed(read);
      } catch (error) {
        if (own !== turn) return;
        field.setAttribute("aria-invalid", "true");
        status.replaceChildren(make("p", { class: "notice", role: "alert" }, error.message));
        await changed(null);
      }
    }

    function tell(read) {
      if (!read || !read.title) { status.replaceChildren(); return; }
      const placeholders = read.scenario && read.scenario.placeholders.length ? " Its values of " + read.scenario.placeholders.join(", ") + " are placeholders." : "";
      status.replaceChildren(make("details", {}, make("summary", {}, "Read again for requests: " + read.title + "." + placeholders),
        read.scenario && read.scenario.description ? make("p", {}, read.scenario.description) : null,
        make("ul", {}, read.said.map((text) => make("li", {}, text)))),
      read.unasked.length ? make("p", { class: "minor" }, "No condition of this report is decided by " + read.unasked.join(", ") + ".") : "");
    }

    /* Put values in, as from an address, and read. */
    async function fill(values) {
      await filled.catch((error) => PL.failed(error, status));
      select.value = values.scenario || "";
      if (values.scenario && select.value !== values.scenario) { /* a name that is not there is said so */
        select.append(make("option", { value: values.scenario }, values.scenario));
        select.value = values.scenario;
      }
      field.value = values.if || "";
      await apply();
    }

    let waiting = 0;
    const written = (listener) => {
      select.addEventListener("input", () => { listener(); apply(); });
      field.addEventListener("input", () => { listener(); clearTimeout(waiting); waiting = setTimeout(apply, 180); });
    };
    return { fill, written, values: () => ({ scenario: select.value, if: field.value.trim() }) };
  }

  /* The words of a condition by its number, with the account of whoever has it. */
  async function words(number, account) {
    const index = await PL.load("index");
    const entry = [...index.words].reverse().find(([first]) => first <= number);
    const run = entry && await PL.load(entry[1]);
    return run ? run[number - entry[0]][1].replaceAll(FORMULA.OWN_ACCOUNT, account || "*") : "";
  }

  /* The words of what a conditional cell asks for: those of each resource type that every call needs, or of the best row. */
  async function wordsOfDemand(demand, account) {
    const { demands } = await load();
    const [types] = demands[demand];
    const needed = types.some(([isRequired]) => isRequired) ? types.filter(([isRequired]) => isRequired) : types;
    const numbers = [...new Set(needed.flatMap(([, conditions]) => conditions))].filter((number) => number >= 0);
    return Promise.all(numbers.map((number) => words(number, account)));
  }

  return { load, reading, fields, words, wordsOfDemand };
})();
