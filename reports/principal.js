"use strict";
/* The page of one principal, named by the address: #ARN, and &action=... to look at one action. */
(() => {
  const main = document.getElementById("principal");
  const ORDER = { a: 0, c: 1, d: 2, b: 3 };
  const SILENT = { identity: "its policies together", boundary: "the permissions boundary, which does not allow it", scp: "the SCPs of a level, none of which allows it",
    rcp: "the RCPs of a level, none of which allows it", resource: "the resource policy, which does not allow it", scenario: "what is taken for granted: no such request meets the conditions" };
  const KINDS = { inline: "inline", managed: "managed", boundary: "permissions boundary" };
  const FEW = 14, FEW_IN_ROW = 3, MOST_PARTS = 8, MOST_TYPES = 8;
  const { make, verdict, number, counted } = PL;
  const { find, counting, entriesOf, nameOf, links, scopeData } = PEOPLE;

  async function show() {
    const { name: arn, action, assumed } = PL.address();
    try {
      const [index, known] = await Promise.all([PL.load("index"), PL.load("inventory")]);
      const found = await find(index, arn);
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such principal"), make("p", {}, make("code", {}, arn || "(none)"), " is not in this report. Look for it in the ", PL.link("matrix.html", "matrix"), "."));
        return;
      }
      await draw(index, found.run, found.principal, action, assumed, found.run.account in known.accounts);
    } catch (error) { PL.failed(error, main); }
  }

  /* Answers with their actions: actions whose reasons are the same statements stand together. */
  function gather(run, principal, reading) {
    const rows = counting(run, principal);
    const groups = new Map();
    for (const [place, text] of run.profiles[principal.profile]) {
      const [stored, storedLayer, decided, scopes, demand, lacking] = run.answers[place];
      const letter = reading && demand >= 0 ? reading.cellOf(demand) : stored;
      const layer = letter === stored ? storedLayer : letter === "d" ? "scenario" : storedLayer;
      for (const action of PL.ranges(text)) {
        const resolved = scopes.map((scope) => scopeData(run, rows, scope, action, reading));
        const told = { letter, layer, decided: rows(decided, action), scopes: resolved, lacking: letter === stored ? lacking : null };
        const key = JSON.stringify(told);
        if (!groups.has(key)) groups.set(key, { ...told, actions: [] });
        groups.get(key).actions.push(action);
      }
    }
    const joined = new Map();
    for (const group of groups.values()) {
      const [scope] = group.scopes;
      const key = group.scopes.length === 1 ? JSON.stringify([group.letter, group.layer, group.lacking, scope.verdict, scope.condition, scope.granted, scope.limited, scope.exceptions])
        : JSON.stringify([group.letter, group.layer, group.decided, group.scopes, group.lacking]);
      if (!joined.has(key)) joined.set(key, { ...group, actions: [], parts: [] });
      const into = joined.get(key);
      into.parts.push({ pattern: scope ? scope.pattern : "", types: scope ? scope.types : [], actions: group.actions.sort((one, other) => one - other) });
      into.actions = into.actions.concat(group.actions).sort((one, other) => one - other);
    }
    for (const group of joined.values()) group.parts.sort((one, other) => other.actions.length - one.actions.length || one.actions[0] - other.actions[0]);
    return [...joined.values()].sort((one, other) => ORDER[one.letter] - ORDER[other.letter] || other.actions.length - one.actions.length || one.actions[0] - other.actions[0]);
  }

  async function draw(index, run, principal, action, assumed, hasResources) {
    document.title = PL.visible(principal.name) + " · policylake";
    const stored = gather(run, principal, null);
    let groups = stored;
    let deciding = new Set();
    const isDeciding = (policy, index) => deciding.has(policy + ":" + index);
    /* The statements that decide what is shown stand out in their documents. */
    const mark = (shown) => {
      deciding = new Set(shown.flatMap((group) => group.scopes.flatMap((scope) => scope.granted.concat(scope.limited)).concat(group.decided)).map((row) => row[0] + ":" + row[1]));
      for (const one of main.querySelectorAll(".document .statement")) one.classList.toggle("marked", isDeciding(one.closest(".document").dataset.policy, one.dataset.index));
    };
    const names = nameOf(run, principal);
    const field = make("input", { type: "search", name: "action", value: action, placeholder: "part of a name", autocomplete: "off", spellcheck: "false" });
    const status = make("span", { role: "status" });
    const place = make("div", {}), lacking = make("div", {});
    const filter = () => {
      const text = field.value.trim().toLowerCase();
      const exact = index.actions.findIndex((one) => one[0].toLowerCase() === text);
      const fits = (one) => (exact >= 0 ? one === exact : index.actions[one][0].toLowerCase().includes(text));
      const shown = groups.map((group) => ({ ...group, actions: group.actions.filter(fits),
        parts: group.parts.map((part) => ({ ...part, actions: part.actions.filter(fits) })).filter((part) => part.actions.length) }))
        .filter((group) => group.actions.length);
      const count = shown.reduce((sum, group) => sum + group.actions.length, 0);
      const all = index.actions.filter((_, one) => fits(one)).length;
      status.textContent = text ? counted(all, "action") + (all > count ? ", " + number(all - count) + " of them none: nothing grants it" : "") : "";
      const lists = Object.keys(ORDER).map((letter) => make("div", { "data-fold": "8" }, sections(index, shown.filter((group) => group.letter === letter), names)));
      place.replaceChildren(...(shown.length ? lists : [make("p", { class: "nothing" }, text ? "Nothing that fits." : "Nothing: no action of this report is granted to it.")]));
      for (const list of lists) PL.fold(list);
      lacking.replaceChildren(...missing(index, run, principal, fits));
      mark(text ? shown : stored);
    };
    const counts = make("div", {});
    const bar = make("div", {});
    const layered = make("div", {});
    const taken = TAKEN.fields(bar, (reading) => {
      groups = reading ? gather(run, principal, reading) : stored;
      counts.replaceChildren(totals(index, groups, principal, taken.values()));
      layered.replaceChildren(funnel(run, principal, groups));
      filter();
    });
    const write = () => PL.writeNamed(principal.arn, { action: field.value, ...taken.values() });
    field.addEventListener("input", () => { write(); filter(); });
    taken.written(write);
    counts.append(totals(index, groups, principal, assumed));
    layered.append(funnel(run, principal, groups));
    main.replaceChildren(...facts(index, run, principal), counts, bar, layered,
      make("section", { "aria-labelledby": "can" }, make("h2", { id: "can" }, "What it can do"),
        make("p", {}, make("label", {}, "Action ", field), " ", status, " ",
          isDocument(principal) || !hasResources ? null : PL.link("inventory.html#" + PL.spelt({ principal: principal.arn, ...assumed }), "On known resources", "on-screen aside")), place),
      lacking, ...roles(index, run, principal), policies(run, principal, isDeciding, stored.length > 0), limits(run, principal));
    filter();
    await taken.fill(assumed);
  }

  /* A document given by itself makes no requests. */
  const isDocument = (principal) => principal.type === "policy";

  function facts(index, run, principal) {
    const pairs = [
      [isDocument(principal) ? "Document" : "ARN", PL.code(principal.arn)],
      ["Account", PL.link("matrix.html#account=" + (run.account || "documents"), PL.accountName(index, run.account))],
      ["Groups", (principal.groups || []).map((arn) => arn.replace(/^.*:group\//, "")).join(", ")],
      ["Tags", (principal.tags || []).map(([key, value]) => key + " = " + value).join(", ")],
      ["Created", principal.created ? principal.created.slice(0, 10) : ""],
      ["Last used", principal.used ? principal.used.slice(0, 10) : ""],
      ["Read from", PL.code(principal.source)],
    ].filter(([, value]) => value);
    const type = isDocument(principal) ? "policy document given by itself" : principal.linked ? "service-linked role" : principal.type;
    return [
      make("h1", {}, make("bdi", {}, PL.breakable(principal.name)), " ", make("span", { class: "minor" }, type)),
      principal.incomplete ? make("p", { class: "notice" }, "The answers may be wrong, because not everything about it could be read. Missing: ", PL.breakable((principal.missing || []).join("; "), true), ".") : null,
      make("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("bdi", {}, value))])),
    ].filter(Boolean);
  }

  function totals(index, groups, principal, assumed) {
    const counts = { a: 0, c: 0, d: 0, b: 0 };
    for (const group of groups) counts[group.letter] += group.actions.length;
    counts.n = index.actions.length - counts.a - counts.c - counts.d - counts.b;
    return make("ul", { class: "legend compact" }, Object.entries(counts).map(([letter, count]) => make("li", {}, verdict(letter), " ", count ? PL.link("matrix.html#" + PL.spelt({ q: principal.arn, verdict: PL.WORDS[letter], ...assumed }), number(count), "figure quiet") : make("span", { class: "figure" }, "0"))));
  }

  const STEPS = [["boundary", "permissions boundary"], ["scp", "SCPs"], ["rcp", "RCPs"], ["resource", "resource policies"], ["scenario", "what is taken for granted"]];

  /* How many actions are granted, and how many are left after each layer that takes some. */
  function funnel(run, principal, groups) {
    const lost = {};
    let granted = 0;
    for (const group of groups) {
      granted += group.actions.length;
      if ("db".includes(group.letter)) lost[group.layer] = (lost[group.layer] || 0) + group.actions.length;
    }
    const limits = new Set((principal.policies || []).some(([kind]) => kind === "boundary") ? ["boundary"] : []);
    if (!principal.linked) for (const [kind] of run.controls) limits.add(kind);
    const steps = [["granted by identity and resource policies", granted, 0]];
    let left = granted;
    for (const [layer, words] of [["identity", "explicit Denies of its own policies"], ...STEPS]) {
      if (!lost[layer] && !limits.has(layer)) continue;
      left -= lost[layer] || 0;
      steps.push(["after " + words, left, lost[layer] || 0]);
    }
    if (!granted || steps.length < 2) return make("div", {});
    return make("section", { "aria-labelledby": "funnel" }, make("h2", { id: "funnel" }, "What each layer leaves"),
      PL.table("Actions left after each layer", ["layer", ["actions left", "number"], ["taken away", "number"], make("span", { class: "unseen" }, "picture")],
        steps.map(([words, count, away]) => [make("td", {}, words), make("td", { class: "number" }, number(count)),
          make("td", { class: "number" }, away ? number(away) : make("span", { class: "nil" }, "0")), make("td", { class: "picture" }, PL.bar([["f-some", count], ["f-lost", away]], granted))]), "funnel"),
      make("p", { class: "minor" }, "What several layers take counts for the one that decides. Actions that are left can still depend on the request."));
  }

  /* Roles that it may pass: those that trust SageMaker first. */
  function roles(index, run, principal) {
    if (principal.roles === undefined) return [];
    const [count, trusting, first] = run.roles[principal.roles];
    const condition = (id) => run.conditions.find((one) => one[3] === id);
    const words = (id) => [make("span", { class: "condition" }, (condition(id) || [""])[0]), " ", PL.link("condition.html#" + id, "more", "minor on-screen")];
    const common = first.every(([, , , id]) => id && id === first[0][3]) ? first[0][3] : "";
    const isAsked = !common && first.some(([, , , id]) => id);
    const table = PL.table("Roles that it may pass", ["role", "trusts SageMaker", "verdict", ...(isAsked ? ["condition"] : [])],
      first.map(([arn, isTrusting, letter, id, isTold]) => [make("td", {}, (isTold ? PL.principalLink : (_, name) => make("code", {}, name))(arn, PL.breakable(arn.replace(/^.*?:role\//, "")))), make("td", { class: "word" }, isTrusting ? "yes" : "no"),
        make("td", { class: "word" }, verdict(letter)), isAsked ? make("td", {}, id ? words(id) : "") : null]));
    return [make("section", { "aria-labelledby": "roles" }, make("h2", { id: "roles" }, "Roles that it may pass ", make("span", { class: "minor" }, counted(count, "role") + ", " + number(trusting) + (trusting === 1 ? " trusts SageMaker" : " trust SageMaker"))),
      make("p", {}, "With a role that trusts SageMaker a job or a notebook has that role's rights, whatever this principal may do itself."),
      common ? make("p", {}, first.length > 1 ? "Each of these: " : "This one: ", words(common), ".") : "",
      table,
      count > first.length ? make("p", { class: "minor" }, number(count - first.length) + " more: ", make("code", {}, "policylake sql \"from passable_roles where principal_arn = '" + principal.arn + "'\"")) : "")];
  }

  function sections(index, groups, names) {
    return groups.map((group) => make("article", { class: "group" },
      make("h3", {}, verdict(group.letter), " ", make("span", { class: "minor" }, counted(group.actions.length, "action"))),
      group.parts.length > 1 ? parts(index, group.parts) : actions(index, group.actions),
      alike(group.parts.length > 1 ? group.scopes.map((scope) => ({ ...scope, pattern: "" }))
        : group.scopes.length === 1 ? [{ ...group.scopes[0], ...group.parts[0] }] : group.scopes).map((scope) => scopeOf(scope, group.letter, names)),
      group.lacking ? make("p", { class: "minor" }, "Not enough: every call needs "
        + (group.lacking.length ? group.lacking.join(" and ") + ", too." : "all of it at once, and no request meets all the conditions.")) : null,
      "db".includes(group.letter) ? make("dl", { class: "scope" }, make("dt", {}, PL.WORDS[group.letter] + " by"),
        make("dd", {}, group.decided.length ? links(group.decided, names) : SILENT[group.layer] || group.layer)) : null));
  }

  /* Scopes that differ in the resources alone stand together. */
  function alike(scopes) {
    const groups = new Map();
    for (const { pattern, types, actions: _, ...scope } of scopes) {
      const key = JSON.stringify(scope);
      if (!groups.has(key)) groups.set(key, { ...scope, places: [] });
      if (pattern) groups.get(key).places.push({ pattern, types });
    }
    return [...groups.values()];
  }

  const typesOf = (types) => types.map((type) => (type === "*" ? "calls without a resource" : type)).join(", ");

  /* A pattern with the types of resources that it is about; many types behind a line that says how many. */
  function placeOf({ pattern, types }) {
    return make("div", {}, PL.code(pattern), types.length > MOST_TYPES
      ? make("details", {}, make("summary", { class: "minor" }, number(types.length) + " types of resources"), make("span", { class: "minor" }, typesOf(types)))
      : types.length ? [" ", make("span", { class: "minor" }, typesOf(types))] : null);
  }

  const KINDS_OF_RESOURCES = "kinds of resources";
  const placesOf = (places) => PL.few(places, MOST_PARTS, (some) => some.map(placeOf), KINDS_OF_RESOURCES).flat();

  /* Resources that are granted alike, each with its actions. */
  function parts(index, all) {
    const list = (listed) => make("ul", { class: "parts" }, listed.map((part) => make("li", {}, make("details", { open: listed.length <= 3 && part.actions.length <= FEW },
      make("summary", {}, PL.code(part.pattern), " ", make("span", { class: "minor" }, [part.types.length > MOST_TYPES ? number(part.types.length) + " types of resources" : typesOf(part.types),
        counted(part.actions.length, "action")].filter(Boolean).join(", "))),
      part.types.length > MOST_TYPES ? make("p", { class: "minor" }, typesOf(part.types)) : null, actions(index, part.actions)))));
    return PL.few(all, MOST_PARTS, list, KINDS_OF_RESOURCES);
  }

  /* Few actions as they are; many by service behind a line that says how many. */
  function actions(index, listed, few = FEW) {
    const list = (some) => PL.actionList(index, some);
    if (listed.length <= few) return list(listed);
    if (listed.length <= FEW) return make("details", {}, make("summary", { class: "minor" }, counted(listed.length, "action")), list(listed));
    const levels = index.levels.map((level, place) => [level, listed.filter((one) => index.actions[one][1] === place)]).filter(([, some]) => some.length);
    return make("div", { class: "levels" }, levels.map(([level, some]) => (some.length <= FEW
      ? make("div", { class: "level" }, make("span", { class: "minor" }, level), list(some))
      : make("details", {}, make("summary", {}, level + ": " + number(some.length) + " actions"), list(some)))));
  }

  function scopeOf(scope, letter, names) {
    const pairs = [
      ["verdict", scope.verdict === letter ? [] : [verdict(scope.verdict)]],
      ["on", placesOf(scope.places)],
      ["but not", scope.exceptions.map(PL.code)],
      ["condition", scope.condition ? [make("span", { class: "condition" }, scope.condition), scope.number >= 0 ? [" ", PL.link("condition.html#" + scope.id, "more", "minor on-screen")] : []].flat() : []],
      ["read again", scope.again ? [PL.verdict(scope.again)] : []],
      ["proof", scope.proof ? [make("span", { class: "minor" }, scope.proof)] : []],
      ["granted by", links(scope.granted, names)],
      ["limited by", links(scope.limited, names)],
    ].filter(([, value]) => value.length);
    return make("dl", { class: "scope" }, pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { class: name === "but not" ? "exceptions" : null }, value)]));
  }

  /* Granted actions whose calls may need another one that is not granted. */
  function missing(index, run, principal, fits) {
    const rows = (run.profileGaps[principal.profile] || []).map(([gap, text]) => [...run.gaps[gap], PL.ranges(text).filter(fits)]).filter(([, , , numbers]) => numbers.length);
    if (!rows.length) return [];
    const table = PL.table("Further actions that are missing", ["further action", "why", "needed by", "granted actions"],
      rows.map(([action, why, when, numbers]) => [make("td", {}, make("code", {}, PL.breakable(action))), make("td", { class: "why" }, PL.breakable(why, true)), make("td", { class: "why" }, when),
        make("td", {}, actions(index, numbers, FEW_IN_ROW))]), "gaps");
    return [make("section", { "aria-labelledby": "missing" }, make("h2", { id: "missing" }, "Granted, but something else is missing"),
      make("p", {}, "A call may need further actions; without them it fails, although the action itself is granted. Whether every call needs one is not always told by AWS."),
      table)];
  }

  /* Documents open when asked; statements that grant something stand out. */
  function policies(run, principal, isDeciding, isDecided) {
    const listed = (principal.policies || []).map(([kind, policy, name, arn, via]) => {
      const id = run.policies[policy];
      const place = make("div", {});
      const details = make("details", { class: "document", "data-policy": String(policy) }, make("summary", {}, make("bdi", {}, name || "the document"), " ",
        make("span", { class: "minor" }, isDocument(principal) ? "the document itself" : KINDS[kind] + (via ? ", through group " + via.replace(/^.*:group\//, "") : "") + (arn ? ", " + arn : ""))), place);
      details.addEventListener("toggle", async () => {
        if (!details.open || place.childNodes.length) return;
        try {
          const found = await PL.policy(id);
          const marked = { has: (index) => isDeciding(policy, index) };
          place.replaceChildren(make("p", { class: "minor" }, PL.link("policy.html#" + id, "where else it is attached")), ...PL.statements(found ? found[0] : "", marked, id));
        } catch (error) { PL.failed(error, place); }
      });
      return details;
    });
    return make("section", { "aria-labelledby": "policies" }, make("h2", { id: "policies" }, "The policies it comes from"),
      listed.length ? [isDecided ? make("p", { class: "minor on-screen" }, "Statements that decide something above are marked.") : null, ...listed] : make("p", { class: "nothing" }, "It has no policies of its own and none of a group."));
  }

  function limits(run, principal) {
    const rows = [];
    const add = (kind, level, policy, name) => {
      const last = rows[rows.length - 1];
      if (last && last[0] === kind && last[1] === level) last[2].push([policy, name]); else rows.push([kind, level, [[policy, name]]]);
    };
    for (const [kind, policy, name] of principal.policies || []) if (kind === "boundary") add("permissions boundary", "", policy, name);
    if (!principal.linked) for (const [kind, , level, policy, name] of run.controls) add(kind.toUpperCase(), level, policy, name);
    if (!principal.linked) for (const [account, level, policy, name] of run.guards) add("RCP of the resources of " + account, level, policy, name);
    const table = PL.table("Policies that limit it", ["kind", "level", "policies"],
      rows.map(([kind, level, some]) => [make("td", { class: "word" }, kind), make("td", { class: "word" }, level),
        make("td", {}, some.flatMap(([policy, name], place) => [place ? ", " : "", PL.link("policy.html#" + run.policies[policy], name || run.policies[policy])]))]));
    const entries = entriesOf(run, principal).map(([resource, policy]) => make("li", {}, PL.link("policy.html#" + run.policies[policy], resource, "code")));
    return make("section", { "aria-labelledby": "limits" }, make("h2", { id: "limits" }, "What limits it"),
      rows.length ? table
        : make("p", { class: "nothing" }, principal.linked ? "Nothing: SCPs and RCPs do not touch service-linked roles." : "No boundary, and no SCP or RCP acts on it."),
      entries.length ? [make("h3", {}, "Resource policies that speak of it"), make("ul", {}, entries)] : []);
  }

  window.addEventListener("hashchange", show);
  show();
})();
