"use strict";
/* One principal's data: where it stands, and the statements that count for it. */
const PEOPLE = (() => {
  /* The script of a principal and its entry in it; null where there is none. */
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

  /* Resource policies that speak of the principal or of its whole account: resource, policy, indexes of statements. */
  const entriesOf = (run, principal) => run.entries.concat(principal.entries || []);

  /* The documents that can grant something, and those that only limit: equal statements have one number wherever they stand.
     Of resource policies only the statements that speak of the principal count: equal ones may be of others. RCPs act on some services only. */
  function layers(run, principal) {
    const own = new Set(), speaking = new Set();
    const limiting = new Set(), rcps = new Set(), reached = new Set(PL.ranges(run.rcpActions));
    if (!principal.linked) for (const [kind, , , policy] of run.controls) (kind === "rcp" ? rcps : limiting).add(policy);
    for (const [kind, policy] of principal.policies || []) (kind === "boundary" ? limiting : own).add(policy);
    for (const [, policy, indexes] of entriesOf(run, principal)) for (const one of indexes) speaking.add(policy + ":" + one);
    return { grants: (row) => own.has(row[0]) || speaking.has(row[0] + ":" + row[1]),
      limits: (row, action) => limiting.has(row[0]) || (rcps.has(row[0]) && reached.has(action)) };
  }

  /* The statements of numbers that count for the principal and an action. */
  function counting(run, principal) {
    const { grants, limits } = layers(run, principal);
    const sets = run.actionSets.map((text) => new Set(PL.ranges(text)));
    const rows = (numbers, action, fits) => (numbers || []).flatMap((one) => (run.statements[one] || [])
      .filter((row) => sets[row[4]].has(action) && fits(row)));
    return {
      granted: (numbers, action) => rows(numbers, action, grants),
      limited: (numbers, action) => rows(numbers, action, (row) => limits(row, action) || (row[3] === "D" && grants(row))),
    };
  }

  function links(rows, names) {
    return rows.flatMap((row, place) => [place ? "; " : "", PL.link("policy.html#" + names(row[0]).id + ":" + row[1], names(row[0]).name + ", " + (row[2] || "statement " + (row[1] + 1)))]);
  }

  function nameOf(run, principal) {
    const names = new Map();
    for (const [, policy, name] of principal.policies || []) names.set(policy, name || "the document");
    for (const control of run.controls) if (!names.has(control[3])) names.set(control[3], control[4] || control[0].toUpperCase());
    for (const [resource, policy] of entriesOf(run, principal)) if (!names.has(policy)) names.set(policy, "policy of " + resource);
    return (policy) => ({ id: run.policies[policy], name: names.get(policy) || run.policies[policy] });
  }

  /* A scope of an answer with its words and the statements behind it; `again` is what its condition comes to in a reading. */
  function scopeData(run, rows, scope, action, reading) {
    const [words, proof, number, id] = scope[2] < 0 ? ["", "", -1, ""] : run.conditions[scope[2]];
    return { pattern: scope[0], verdict: scope[1], condition: words, proof, number, id, again: reading && number >= 0 ? reading.verdictOf(number) : "",
      granted: rows.granted(scope[3], action), limited: rows.limited(scope[4], action), exceptions: scope[5] || [], types: scope[6] || [] };
  }

  /* What an answer comes to on one resource. Of another account only what names that account is reached. */
  function letterOn(run, answer, kind, arn, isOwn, verdictOf) {
    if ("db".includes(answer[0])) return "d";
    const letters = answer[3].filter((scope) => !(scope[6] || []).length || scope[6].includes(kind))
      .filter((scope) => (isOwn || scope[0].split(":")[4] === arn.split(":")[4]) && FORMULA.covers(scope[0], scope[5] || [], arn))
      .map((scope) => (scope[2] < 0 || run.conditions[scope[2]][2] < 0 ? "a" : verdictOf(run.conditions[scope[2]][2])));
    return letters.includes("a") ? "a" : letters.includes("c") ? "c" : "d";
  }

  return { letterOn, find, counting, entriesOf, nameOf, links, scopeData };
})();
