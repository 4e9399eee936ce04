"use strict";
/* The page of one known resource, named by the address: who can act on it, by action, decided with its tags. */
(() => {
  const main = document.getElementById("resource");
  const FEW = 60;
  const { make, number, counted } = PL;
  let turn = 0;

  async function show() {
    const { name: arn, action, assumed } = PL.address();
    const own = ++turn;
    try {
      const [index, known] = [await PL.load("index"), await PL.load("inventory")];
      const found = await find(known, arn);
      if (own !== turn) return;
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such resource"), make("p", {}, make("code", {}, arn || "(none)"), " is not in the inventory of this report. Look for it among the ", PL.link("inventory.html", "known resources"), "."));
        return;
      }
      await draw(index, known, found, action, assumed);
    } catch (error) { PL.failed(error, main); }
  }

  /* The account and the entry of a resource. */
  async function find(known, arn) {
    const own = PL.accountIn(arn);
    for (const account of Object.hasOwn(known.accounts, own) ? [own] : Object.keys(known.accounts)) {
      for (const key of known.accounts[account]) {
        const entry = (await PL.load(key)).find((one) => one[0] === arn);
        if (entry) return { account, entry };
      }
    }
    return null;
  }

  /* The scripts of principals, those of the resource's account first and apart. Documents make no requests. */
  function scripts(index, account) {
    const of = (first) => first.slice(0, first.indexOf("|"));
    const inside = index.principals.filter(([first]) => of(first) === account).map(([, key]) => key);
    return { inside, outside: index.principals.filter(([first]) => of(first) && of(first) !== account).map(([, key]) => key) };
  }

  async function draw(index, known, { account, entry }, wanted, assumed) {
    const [arn, type, tags] = entry;
    document.title = PL.visible(arn.split(":").slice(5).join(":")) + " · policylake";
    const [service, kind] = known.types[type][0].split(" ");
    const actions = PL.ranges(known.types[type][1]);
    const { inside, outside } = scripts(index, account);
    const bar = make("div", {}), place = make("div", { "aria-live": "polite" });
    const filter = make("input", { type: "search", value: wanted, placeholder: "part of a name", autocomplete: "off", spellcheck: "false" });
    const others = make("p", {});
    let keys = inside, reading = null;

    const tell = async (read) => {
      reading = read;
      if (!reading) return;
      const own = ++turn;
      const people = [];
      for (const key of keys) {
        const run = await PL.load(key);
        if (own !== turn) return;
        people.push(...judge(run, actions, kind, entry, account, reading));
      }
      list(people);
    };
    let listed = [];
    const list = (people) => { listed = people; shown(); };
    const shown = () => {
      const text = filter.value.trim().toLowerCase();
      const fitting = actions.filter((one) => index.actions[one][0].toLowerCase().includes(text));
      place.replaceChildren(...fitting.map((one) => row(index, one, listed, fitting.length === 1)),
        fitting.length ? "" : make("p", { class: "nothing" }, "No action that takes such a resource has this name."));
    };
    const taken = TAKEN.fields(bar, tell, true);
    const write = () => PL.writeNamed(arn, { action: filter.value, ...taken.values() });
    taken.written(write);
    filter.addEventListener("input", () => { write(); shown(); });
    if (outside.length) {
      const button = make("button", { type: "button" }, "Look in the other accounts, too");
      button.addEventListener("click", async () => { keys = inside.concat(outside); others.replaceChildren("Principals of all accounts."); try { await tell(reading); } catch (error) { PL.failed(error, place); } });
      others.append("Principals of its own account. ", button);
    }
    const pairs = [["ARN", PL.code(arn)], ["Account", PL.link("matrix.html#account=" + account, PL.accountName(index, account))],
      ["Type", service + " " + kind], ["Tags", tags.map(([key, value]) => key + " = " + value).join(", ") || "none"]];
    main.replaceChildren(
      make("h1", {}, make("bdi", {}, arn.split(":").slice(5).join(":"))),
      make("dl", { class: "facts" }, pairs.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, make("bdi", {}, value))])),
      bar,
      make("section", { "aria-labelledby": "who" }, make("h2", { id: "who" }, "Who can act on it"), make("p", { class: "minor" }, "Decided with its ARN and its tags. Other resources that a call needs count for themselves."), make("p", {}, make("label", {}, "Action ", filter)), others, place));
    await taken.fill(assumed);
  }

  /* What each principal of a script gets on the resource: letters by action; principals of one profile get the same. */
  function judge(run, actions, kind, [arn, , tags], account, reading) {
    const verdictOf = reading.onResource(arn, tags, run.account);
    const wanted = new Set(actions);
    const profiles = new Map();
    const letters = (profile) => {
      if (!profiles.has(profile)) {
        const told = new Map();
        for (const [place, text] of run.profiles[profile]) {
          const fitting = PL.ranges(text).filter((one) => wanted.has(one));
          const letter = fitting.length ? PEOPLE.letterOn(run, run.answers[place], kind, arn, run.account === account, verdictOf) : "n";
          if (letter === "a" || letter === "c") for (const one of fitting) told.set(one, letter);
        }
        profiles.set(profile, told);
      }
      return profiles.get(profile);
    };
    return run.principals.map((one) => ({ arn: one.arn, name: one.name, type: one.type, account: run.account, letters: letters(one.profile) })).filter((one) => one.letters.size);
  }

  function row(index, action, people, isOpen) {
    const of = (letter) => people.filter((one) => one.letters.get(action) === letter);
    const [allowed, conditional] = [of("a"), of("c")];
    const some = (all) => make("ul", { class: "principals" }, all.slice(0, FEW).map((one) => make("li", {}, PL.principalLink(one.arn, one.name, "&action=" + encodeURIComponent(index.actions[action][0])), " ",
      make("span", { class: "minor" }, one.type + ", " + one.account))), all.length > FEW ? make("li", { class: "minor" }, number(all.length - FEW) + " more, in the matrix") : "");
    const part = (letter, all) => (all.length ? [make("p", {}, PL.verdict(letter), " ", make("span", { class: "minor" }, counted(all.length, "principal") + (letter === "c" ? ", depending on the rest of the request" : ""))), some(all)] : []);
    return make("details", { class: "document", open: isOpen }, make("summary", {}, make("code", {}, index.actions[action][0]), " ",
      make("span", { class: "minor" }, [[allowed, "allowed"], [conditional, "conditional"]].filter(([all]) => all.length).map(([all, word]) => number(all.length) + " " + word).join(", ") || "nobody")),
      make("p", { class: "on-screen" }, PL.link(index.actions[action][3], "all about the action", "minor")), ...part("a", allowed), ...part("c", conditional));
  }

  window.addEventListener("hashchange", show);
  show();
})();
