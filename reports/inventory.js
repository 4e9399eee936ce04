"use strict";
/* Known resources: which of them a principal can act on, decided with their tags, and why not the others. */
(() => {
  const form = document.getElementById("ask");
  const answers = document.getElementById("answers");
  const { make, number } = PL;
  const { account: accounts, principal: principals, action: actions } = form.elements;
  let index, known, turn = 0, reading = null;

  const addressed = () => ({ account: accounts.value, principal: principals.value, action: actions.value, ...taken.values() });
  const write = () => PL.writeHash(addressed());
  const taken = TAKEN.fields(document.getElementById("taken"), (read) => { reading = read; return show(); }, true);
  taken.written(write);

  function options(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
    if (chosen && pairs.some(([value]) => value === chosen)) select.value = chosen;
  }

  async function resources(account) { return (await Promise.all((known.accounts[account] || []).map((key) => PL.load(key)))).flat(); }

  async function people(account) {
    const entry = index.accounts.find((one) => one[0] === account);
    const runs = await Promise.all((entry ? entry[2] : []).map(([key]) => PL.load(key)));
    return runs.flatMap((run) => run.principals.map(([arn, name, type]) => [arn, name + " (" + { u: "user", r: "role", p: "document" }[type] + ")"]));
  }

  async function fill() {
    const given = PL.readHash();
    const arn = given.get("principal") || "";
    options(accounts, Object.keys(known.accounts).map((id) => [id, PL.accountName(index, id)]), given.get("account") || PL.accountIn(arn));
    await ofAccount(arn, given.get("action") || "sagemaker:StopNotebookInstance");
    await taken.fill(Object.fromEntries(given));
  }

  async function ofAccount(arn, action) {
    const [listed, some] = [await people(accounts.value), await resources(accounts.value)];
    options(principals, listed, arn);
    const types = new Set(some.map((one) => one[1]));
    const numbers = new Set(known.types.flatMap(([, text], place) => (types.has(place) ? PL.ranges(text) : [])));
    options(actions, [...numbers].sort((one, other) => one - other).map((one) => [index.actions[one][0], index.actions[one][0]]), action);
  }

  async function show() {
    const own = ++turn;
    const place = index.actions.findIndex((one) => one[0] === actions.value);
    const found = place >= 0 && await PEOPLE.find(index, principals.value);
    const some = await resources(accounts.value);
    if (own !== turn) return;
    if (!found || !reading) { answers.replaceChildren(make("p", { class: "nothing" }, "Choose a principal and an action.")); return; }
    const types = new Set(known.types.flatMap(([, text], type) => (PL.ranges(text).includes(place) ? [type] : [])));
    draw(found, place, some.filter((one) => types.has(one[1])));
  }

  /* What the principal gets on one resource: the best scope that reaches it, or why none does. */
  function judged({ run }, answer, rows, place, [arn, type, tags]) {
    if (!answer) return { letter: "n", why: "nothing grants the action" };
    const [stored, , decided, scopes] = answer;
    if ("db".includes(stored)) return { letter: "d", why: "the action is " + PL.WORDS[stored] + " on every resource", limited: rows(decided, place) };
    const kind = known.types[type][0].split(" ")[1];
    const verdictOf = reading.onResource(arn, tags, run.account);
    const data = (scope) => PEOPLE.scopeData(run, rows, scope, place, null);
    const fitting = scopes.filter((scope) => PEOPLE.isOfKind(scope, kind));
    const reached = fitting.filter((scope) => PEOPLE.reaches(scope, arn)).map(data);
    if (!reached.length) {
      const out = fitting.map(data).find((scope) => FORMULA.covers(scope.pattern, [], arn));
      return { letter: "d", why: out ? "it is taken out of " + out.pattern : "no grant reaches it", granted: out ? out.granted : [], limited: out ? out.limited : [] };
    }
    const letters = reached.map((scope) => (scope.number < 0 ? "a" : verdictOf(scope.number)));
    const letter = PL.best(letters), scope = reached[letters.indexOf(letter)];
    const why = scope.condition ? { a: "meets: ", c: "depends on the request: ", d: "fails: " }[letter] + scope.condition : "granted whatever the request says";
    return { letter, why, granted: scope.granted, limited: scope.limited, id: scope.id };
  }

  function draw(found, place, listed) {
    const { run, principal } = found;
    const part = run.profiles[principal.profile].find(([, text]) => PL.ranges(text).includes(place));
    const answer = part && run.answers[part[0]];
    const rows = PEOPLE.counting(run, principal), names = PEOPLE.nameOf(run, principal);
    const judgements = listed.map((one) => [one, judged(found, answer, rows, place, one)]);
    const count = (letter) => judgements.filter(([, told]) => told.letter === letter).length;
    const others = [["c", "depend on the request"], ["d", "are refused"], ["n", "are not granted to it"]].filter(([letter]) => count(letter));
    const table = PL.table("Known resources with what the principal gets", ["resource", "tags", "verdict", "why", "statements"],
      judgements.map(([[arn, , tags], told]) => [make("td", {}, make("a", { href: PL.root + "resource.html#" + encodeURIComponent(arn) + "&action=" + encodeURIComponent(index.actions[place][0]), title: arn, class: "code whole" }, arn.split(":").slice(5).join(":"))),
        make("td", {}, tags.map(([key, value]) => key + " = " + value).join(", ")), make("td", { class: "word" }, PL.verdict(told.letter)),
        make("td", { class: "why" }, told.why, told.id ? [" ", PL.link("condition.html#" + told.id, "more", "minor on-screen")] : ""),
        make("td", {}, PEOPLE.links([...(told.granted || []), ...(told.limited || [])], names))]));
    answers.replaceChildren(
      make("p", { class: "lead" }, PL.principalLink(principal.arn, principal.name, "&action=" + encodeURIComponent(index.actions[place][0])), " can ", PL.actionLink(index.actions[place]),
        " on " + (count("a") === listed.length && listed.length > 1 ? "all " : number(count("a")) + " of the ") + number(listed.length) + " known resources of that type in its account" + (others.length ? "; " + others.map(([letter, words]) => number(count(letter)) + " " + words).join(", ") : "") + "."),
      table);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", async (event) => {
    try {
      if (event.target === accounts) await ofAccount("", actions.value);
      write();
      await show();
    } catch (error) { PL.failed(error, answers); }
  });
  const start = async () => {
    try {
      [index, known] = [await PL.load("index"), await PL.load("inventory")];
      await fill();
    } catch (error) { PL.failed(error, answers); }
  };
  window.addEventListener("hashchange", start);
  start();
})();
