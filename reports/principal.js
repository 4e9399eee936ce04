"use strict";
/* The page of one principal, named by the address: #ARN, and &action=... to look at one action. */
(() => {
  const main = document.getElementById("principal");
  const ORDER = { a: 0, c: 1, d: 2, b: 3 };
  const LAYERS = { identity: "an identity policy", boundary: "the permissions boundary", scp: "an SCP", rcp: "an RCP", resource: "a resource policy", scenario: "the scenario" };
  const KINDS = { inline: "inline", managed: "managed", boundary: "permissions boundary" };
  const FEW = 14;
  const { make, verdict, number } = PL;

  function address() {
    const [arn, ...rest] = location.hash.slice(1).split("&");
    const given = new URLSearchParams(rest.join("&"));
    return { arn: PL.decoded(arn), action: given.get("action") || "", scenario: given.get("scenario") || "", if: given.get("if") || "" };
  }

  async function show() {
    const { arn, action, ...assumed } = address();
    try {
      const index = await PL.load("index");
      const found = await find(index, arn);
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such principal"), make("p", {}, make("code", {}, arn || "(none)"), " is not in this report. Look for it in the "), PL.link("matrix.html", "matrix"));
        return;
      }
      await draw(index, found.run, found.principal, action, assumed);
    } catch (error) { PL.failed(error, main); }
  }

  async function find(index, arn) {
    const own = (/^arn:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(arn) || ["", ""])[1];
    for (const account of new Set([own, ""])) {
      const key = PL.place(index.principals, account + "|" + arn);
      const run = key && await PL.load(key);
      const principal = run && run.principals.find((one) => one.arn === arn);
      if (principal) return { run, principal };
    }
    return null;
  }

  /* The documents that can grant something, and those that only limit: equal statements have one number wherever they stand. */
  function layers(run, principal) {
    const granting = new Set((principal.entries || []).map((entry) => entry[1]));
    const limiting = new Set(principal.linked ? [] : run.controls.map((control) => control[3]));
    for (const [kind, policy] of principal.policies || []) (kind === "boundary" ? limiting : granting).add(policy);
    return { granting, limiting };
  }

  /* The statements of numbers that count for the principal and an action. */
  function counting(run, principal) {
    const { granting, limiting } = layers(run, principal);
    const sets = run.actionSets.map((text) => new Set(PL.ranges(text)));
    const rows = (numbers, action, fits) => (numbers || []).flatMap((one) => (run.statements[one] || [])
      .filter((row) => sets[row[4]].has(action) && fits(row)));
    return {
      granted: (numbers, action) => rows(numbers, action, (row) => granting.has(row[0])),
      limited: (numbers, action) => rows(numbers, action, (row) => limiting.has(row[0]) || (row[3] === "D" && granting.has(row[0]))),
    };
  }

  /* Answers with their actions: actions whose reasons are the same statements stand together. */
  function gather(run, principal, reading) {
    const rows = counting(run, principal);
    const groups = new Map();
    for (const [place, text] of run.profiles[principal.profile]) {
      const [stored, storedLayer, decided, scopes, demand] = run.answers[place];
      const letter = reading && demand !== undefined ? reading.cellOf(demand) : stored;
      const layer = letter === stored ? storedLayer : letter === "d" ? "scenario" : storedLayer;
      const readAgain = (number) => (reading && number >= 0 ? reading.verdictOf(number) : "");
      for (const action of PL.ranges(text)) {
        const resolved = scopes.map((scope) => ({ pattern: scope[0], verdict: scope[1], condition: scope[2] < 0 ? "" : run.conditions[scope[2]][0], proof: scope[2] < 0 ? "" : run.conditions[scope[2]][1],
          number: scope[2] < 0 ? -1 : run.conditions[scope[2]][2], id: scope[2] < 0 ? "" : run.conditions[scope[2]][3], again: scope[2] < 0 ? "" : readAgain(run.conditions[scope[2]][2]),
          granted: rows.granted(scope[3], action), limited: rows.limited(scope[4], action), exceptions: scope[5] || [], types: scope[6] || [] }));
        const told = { letter, layer, decided: rows.limited(decided, action), scopes: resolved };
        const key = JSON.stringify(told);
        if (!groups.has(key)) groups.set(key, { ...told, actions: [] });
        groups.get(key).actions.push(action);
      }
    }
    const joined = new Map();
    for (const group of groups.values()) {
      const [scope] = group.scopes;
      const key = group.scopes.length === 1 ? JSON.stringify([group.letter, group.layer, scope.verdict, scope.condition, scope.granted, scope.limited, scope.exceptions])
        : JSON.stringify([group.letter, group.layer, group.decided, group.scopes]);
      if (!joined.has(key)) joined.set(key, { ...group, actions: [], parts: [] });
      const into = joined.get(key);
      into.parts.push({ pattern: scope ? scope.pattern : "", types: scope ? scope.types : [], actions: group.actions.sort((one, other) => one - other) });
      into.actions = into.actions.concat(group.actions).sort((one, other) => one - other);
    }
    for (const group of joined.values()) group.parts.sort((one, other) => other.actions.length - one.actions.length || one.actions[0] - other.actions[0]);
    return [...joined.values()].sort((one, other) => ORDER[one.letter] - ORDER[other.letter] || other.actions.length - one.actions.length || one.actions[0] - other.actions[0]);
  }

  async function draw(index, run, principal, action, assumed) {
    document.title = PL.visible(principal.name) + " · policylake";
    const stored = gather(run, principal, null);
    let groups = stored;
    const names = nameOf(run, principal);
    const field = make("input", { type: "search", name: "action", value: action, placeholder: "part of a name", autocomplete: "off", spellcheck: "false" });
    const status = make("span", { role: "status" });
    const place = make("div", {});
    const filter = () => {
      const text = field.value.trim().toLowerCase();
      const exact = index.actions.findIndex((one) => one[0].toLowerCase() === text);
      const fits = (one) => (exact >= 0 ? one === exact : index.actions[one][0].toLowerCase().includes(text));
      const shown = groups.map((group) => ({ ...group, actions: group.actions.filter(fits),
        parts: group.parts.map((part) => ({ ...part, actions: part.actions.filter(fits) })).filter((part) => part.actions.length) }))
        .filter((group) => group.actions.length);
      const count = shown.reduce((sum, group) => sum + group.actions.length, 0);
      const all = index.actions.filter((_, one) => fits(one)).length;
      status.textContent = text ? number(all) + (all === 1 ? " action, " : " actions, ") + number(all - count) + " of them none: nothing grants it" : "";
      place.replaceChildren(...sections(index, shown, names));
    };
    const counts = make("div", {});
    const bar = make("div", {});
    const taken = TAKEN.fields(bar, (reading) => {
      groups = reading ? gather(run, principal, reading) : stored;
      counts.replaceChildren(totals(index, groups, principal, taken.values()));
      filter();
    });
    const write = () => {
      const text = PL.spelt({ action: field.value, ...taken.values() });
      PL.writeAddress("#" + encodeURIComponent(principal.arn) + (text ? "&" + text : ""));
    };
    field.addEventListener("input", () => { write(); filter(); });
    taken.written(write);
    counts.append(totals(index, groups, principal, assumed));
    main.replaceChildren(...facts(index, run, principal), counts, bar,
      make("section", { "aria-labelledby": "can" }, make("h2", { id: "can" }, "What it can do"),
        make("p", {}, make("label", {}, "Action ", field), " ", status), place),
      ...missing(index, run, principal), policies(run, principal, stored), limits(run, principal));
    filter();
    await taken.fill(assumed);
  }

  function facts(index, run, principal) {
    const account = index.accounts.find((one) => one[0] === run.account) || [run.account, ""];
    const pairs = [
      ["ARN", make("code", {}, principal.arn)],
      ["Account", PL.link("matrix.html#account=" + (run.account || "documents"), [account[1], account[0]].filter(Boolean).join(" "))],
      ["Groups", (principal.groups || []).map((arn) => arn.replace(/^.*:group\//, "")).join(", ")],
      ["Tags", (principal.tags || []).map(([key, value]) => key + " = " + value).join(", ")],
      ["Created", principal.created ? principal.created.slice(0, 10) : ""],
      ["Last used", principal.used ? principal.used.slice(0, 10) : ""],
      ["Read from", make("code", {}, principal.source)],
    ].filter(([, value]) => value);
    const type = principal.type === "policy" ? "policy document given by itself" : principal.linked ? "service-linked role" : principal.type;
    return [
      make("h1", {}, make("bdi", {}, principal.name), " ", make("span", { class: "minor" }, type)),
      principal.incomplete ? make("p", { class: "notice" }, "Something of its policies is missing, so the answers may be wrong: ", (principal.missing || []).join("; ")) : null,
      make("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("bdi", {}, value))])),
    ].filter(Boolean);
  }

  function totals(index, groups, principal, assumed) {
    const counts = { a: 0, c: 0, d: 0, b: 0 };
    for (const group of groups) counts[group.letter] += group.actions.length;
    counts.n = index.actions.length - counts.a - counts.c - counts.d - counts.b;
    return make("ul", { class: "legend compact" }, Object.entries(counts).map(([letter, count]) => make("li", {}, verdict(letter), " ", count ? PL.link("matrix.html#" + PL.spelt({ q: principal.arn, verdict: PL.WORDS[letter], ...assumed }), number(count), "figure quiet") : make("span", { class: "figure" }, "0"))));
  }

  function sections(index, groups, names) {
    if (!groups.length) return [make("p", { class: "nothing" }, "Nothing that fits.")];
    return groups.map((group) => make("article", { class: "group" },
      make("h3", {}, verdict(group.letter), " ", make("span", { class: "minor" }, number(group.actions.length) + (group.actions.length === 1 ? " action" : " actions"))),
      group.parts.length > 1 ? parts(index, group.parts) : actions(index, group.actions),
      group.scopes.map((scope) => scopeOf(group.parts.length > 1 ? { ...scope, pattern: "" }
        : group.scopes.length === 1 ? { ...scope, pattern: group.parts[0].pattern, types: group.parts[0].types } : scope, group.letter, names)),
      "db".includes(group.letter) ? make("dl", { class: "scope" }, make("dt", {}, PL.WORDS[group.letter] + " by"),
        make("dd", {}, group.decided.length ? links(group.decided, names) : group.layer === "identity" ? "its policies together" : group.layer === "scenario" ? "what is taken for granted: no such request meets the conditions" : (LAYERS[group.layer] || group.layer) + " that does not allow it")) : null));
  }

  /* Resources that are granted alike, each with its actions. */
  function parts(index, listed) {
    return make("ul", { class: "parts" }, listed.map((part) => make("li", {}, make("details", { open: listed.length <= 3 && part.actions.length <= FEW },
      make("summary", {}, make("code", {}, part.pattern), " ", make("span", { class: "minor" }, [part.types.join(", "),
        number(part.actions.length) + (part.actions.length === 1 ? " action" : " actions")].filter(Boolean).join(", "))), actions(index, part.actions)))));
  }

  /* Few actions as they are; many by service behind a line that says how many. */
  function actions(index, listed) {
    const list = (some) => make("ul", { class: "actions" }, some.map((one) => make("li", {}, PL.actionLink(index.actions[one]))));
    if (listed.length <= FEW) return list(listed);
    const levels = index.levels.map((level, place) => [level, listed.filter((one) => index.actions[one][1] === place)]).filter(([, some]) => some.length);
    return make("div", { class: "levels" }, levels.map(([level, some]) => (some.length <= FEW
      ? make("div", { class: "level" }, make("span", { class: "minor" }, level), list(some))
      : make("details", {}, make("summary", {}, level + ": " + number(some.length) + " actions"), list(some)))));
  }

  function scopeOf(scope, letter, names) {
    const pairs = [
      ["on", !scope.pattern ? [] : [make("code", {}, scope.pattern), scope.types.length ? make("span", { class: "minor" }, " " + scope.types.join(", ")) : null, scope.verdict === letter ? null : [" ", verdict(scope.verdict)]].flat()],
      ["but not", scope.exceptions.flatMap((text) => [make("code", {}, text), " "])],
      ["condition", scope.condition ? [make("span", { class: "condition" }, scope.condition), scope.number >= 0 ? [" ", PL.link("condition.html#" + scope.id, "more", "minor")] : []].flat() : []],
      ["read again", scope.again ? [PL.verdict(scope.again)] : []],
      ["proof", scope.proof ? [make("span", { class: "minor" }, scope.proof)] : []],
      ["granted by", links(scope.granted, names)],
      ["limited by", links(scope.limited, names)],
    ].filter(([, value]) => value.length);
    return make("dl", { class: "scope" }, pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  }

  function links(rows, names) {
    return rows.flatMap((row, place) => [place ? "; " : "", PL.link("policy.html#" + names(row[0]).id + ":" + row[1], names(row[0]).name + ", " + (row[2] || "statement " + (row[1] + 1)))]);
  }

  function nameOf(run, principal) {
    const names = new Map();
    for (const [, policy, name] of principal.policies || []) names.set(policy, name || "the document");
    for (const control of run.controls) if (!names.has(control[3])) names.set(control[3], control[4] || control[0].toUpperCase());
    for (const [resource, policy] of principal.entries || []) if (!names.has(policy)) names.set(policy, "policy of " + resource);
    return (policy) => ({ id: run.policies[policy], name: names.get(policy) || run.policies[policy] });
  }

  /* Documents open when asked; statements that grant something stand out. */
  /* Granted actions whose calls may need another one that is not granted. */
  function missing(index, run, principal) {
    const rows = (run.profileGaps[principal.profile] || []).map(([gap, text]) => [...run.gaps[gap], PL.ranges(text)]);
    if (!rows.length) return [];
    const table = make("table", { class: "rows" }, make("caption", { class: "unseen" }, "Further actions that are missing"),
      make("thead", {}, make("tr", {}, ["further action", "why", "needed by", "granted actions"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, rows.map(([action, why, when, numbers]) => make("tr", {}, make("td", {}, make("code", {}, action)), make("td", {}, why), make("td", {}, when),
        make("td", {}, actions(index, numbers))))));
    return [make("section", { "aria-labelledby": "missing" }, make("h2", { id: "missing" }, "Granted, but something else is missing"),
      make("p", {}, "A call may need further actions; without them it fails, although the action itself is granted. Whether every call needs one is not always told by AWS."),
      make("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Missing actions" }, table))];
  }

  function policies(run, principal, groups) {
    const used = new Set(groups.flatMap((group) => group.scopes.flatMap((scope) => scope.granted.concat(scope.limited)).concat(group.decided)).map((row) => row[0] + ":" + row[1]));
    const listed = (principal.policies || []).map(([kind, policy, name, arn, via]) => {
      const id = run.policies[policy];
      const place = make("div", {});
      const details = make("details", { class: "document" }, make("summary", {}, make("bdi", {}, name || "the document"), " ",
        make("span", { class: "minor" }, KINDS[kind] + (via ? ", through group " + via.replace(/^.*:group\//, "") : "") + (arn ? ", " + arn : ""))), place);
      details.addEventListener("toggle", async () => {
        if (!details.open || place.childNodes.length) return;
        try {
          const found = await PL.policy(id);
          const marked = new Set([...used].filter((one) => one.startsWith(policy + ":")).map((one) => Number(one.split(":")[1])));
          place.replaceChildren(make("p", { class: "minor" }, PL.link("policy.html#" + id, "where else it is attached")), ...PL.statements(found ? found[0] : "", marked));
        } catch (error) { PL.failed(error, place); }
      });
      return details;
    });
    return make("section", { "aria-labelledby": "policies" }, make("h2", { id: "policies" }, "The policies it comes from"),
      listed.length ? [make("p", { class: "minor" }, "Statements that decide something above are marked."), ...listed] : make("p", { class: "nothing" }, "It has no policies of its own and none of a group."));
  }

  function limits(run, principal) {
    const rows = [];
    for (const [kind, policy, name] of principal.policies || []) if (kind === "boundary") rows.push(["permissions boundary", "", policy, name]);
    if (!principal.linked) for (const [kind, , level, policy, name] of run.controls) rows.push([kind.toUpperCase(), level, policy, name]);
    const table = make("table", { class: "rows" }, make("caption", { class: "unseen" }, "Policies that limit it"),
      make("thead", {}, make("tr", {}, ["kind", "level", "policy"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, rows.map(([kind, level, policy, name]) => make("tr", {}, make("td", {}, kind), make("td", {}, level),
        make("td", {}, PL.link("policy.html#" + run.policies[policy], name || run.policies[policy]))))));
    const entries = (principal.entries || []).map(([resource, policy]) => make("li", {}, PL.link("policy.html#" + run.policies[policy], resource, "code")));
    return make("section", { "aria-labelledby": "limits" }, make("h2", { id: "limits" }, "What limits it"),
      rows.length ? make("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Limits" }, table)
        : make("p", { class: "nothing" }, principal.linked ? "Nothing: SCPs and RCPs do not touch service-linked roles." : "No boundary, and no SCP or RCP acts on it."),
      entries.length ? [make("h3", {}, "Resource policies that speak of it"), make("ul", {}, entries)] : []);
  }

  window.addEventListener("hashchange", show);
  show();
})();
