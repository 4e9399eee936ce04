"use strict";
/* One principal's data: where it stands, and the statements that count for it. */
const PEOPLE = (() => {
  /* The script of a principal and its entry in it; null where there is none. */
  async function find(index, arn) {
    for (const account of new Set([PL.accountIn(arn), ""])) {
      const key = PL.place(index.principals, account + "|" + arn);
      const run = key && await PL.load(key);
      const principal = run && run.principals.find((one) => one.arn === arn);
      if (principal) return { run, principal };
    }
    return null;
  }

  /* Resource policies that speak of the principal or of its whole account: resource, policy, indexes of statements. */
  const entriesOf = (run, principal) => run.entries.concat(principal.entries || []);

  /* Whether a statement of a layer counts for the principal: equal ones of others have the same number. */
  function layers(run, principal) {
    const own = new Set(), boundary = new Set(), speaking = new Set();
    for (const [kind, policy] of principal.policies || []) (kind === "boundary" ? boundary : own).add(policy);
    for (const [resource, policy, indexes] of entriesOf(run, principal)) for (const one of indexes) speaking.add(policy + ":" + one + ":" + resource);
    return { identity: (row) => own.has(row[0]), boundary: (row) => boundary.has(row[0]), scp: () => true, rcp: () => true,
      resource: (row, resource) => speaking.has(row[0] + ":" + row[1] + ":" + resource) };
  }

  /* The statements behind an action by the numbers of reasons: policy, index, Sid, action set, and of a resource policy the resource. */
  function counting(run, principal) {
    const fits = layers(run, principal);
    const sets = run.actionSets.map((text) => new Set(PL.ranges(text)));
    return (numbers, action) => (numbers || []).flatMap((one) => {
      const [layer, rows, resource] = run.reasons[one];
      return (rows || []).filter((row) => sets[row[3]].has(action) && fits[layer](row, resource)).map((row) => row.concat(resource || []));
    });
  }

  /* Links to statements, by document and in its order. */
  function links(rows, names) {
    const named = rows.map((row) => [row[4] ? "policy of " + row[4] : names(row[0]).name, row]);
    named.sort(([one, [, first]], [other, [, second]]) => (one < other ? -1 : one > other ? 1 : first - second));
    return named.flatMap(([name, row], place) => [place ? "; " : "", PL.link("policy.html#" + names(row[0]).id + ":" + row[1], PL.breakable(name + ", " + (row[2] || "statement " + (row[1] + 1))))]);
  }

  function nameOf(run, principal) {
    const names = new Map();
    for (const [, policy, name] of principal.policies || []) names.set(policy, name || "the document");
    for (const control of run.controls) if (!names.has(control[3])) names.set(control[3], control[4] || control[0].toUpperCase());
    for (const [account, , policy, name] of run.guards) if (!names.has(policy)) names.set(policy, (name || "RCP") + " of " + account);
    for (const [resource, policy] of entriesOf(run, principal)) if (!names.has(policy)) names.set(policy, "policy of " + resource);
    return (policy) => ({ id: run.policies[policy], name: names.get(policy) || run.policies[policy] });
  }

  /* A scope of an answer with its words and the statements behind it; `again` is what its condition comes to in a reading. */
  function scopeData(run, rows, scope, action, reading) {
    const [words, proof, number, id] = scope[2] < 0 ? ["", "", -1, ""] : run.conditions[scope[2]];
    return { pattern: scope[0], verdict: scope[1], condition: words, proof, number, id, again: reading && number >= 0 ? reading.verdictOf(number) : "",
      granted: rows(scope[3], action), limited: rows(scope[4], action), exceptions: scope[5] || [], types: scope[6] || [] };
  }

  const isOfKind = (scope, kind) => !(scope[6] || []).length || scope[6].includes(kind);
  const reaches = (scope, arn) => FORMULA.covers(scope[0], scope[5] || [], arn);

  /* What an answer comes to on one resource. Of another account only what names that account is reached. */
  function letterOn(run, answer, kind, arn, isOwn, verdictOf) {
    if ("db".includes(answer[0])) return "d";
    const reached = answer[3].filter((scope) => isOfKind(scope, kind) && (isOwn || scope[0].split(":")[4] === arn.split(":")[4]) && reaches(scope, arn));
    if (!reached.length) return "d";
    return PL.best(reached.map((scope) => (scope[2] < 0 || run.conditions[scope[2]][2] < 0 ? "a" : verdictOf(run.conditions[scope[2]][2]))));
  }

  return { letterOn, isOfKind, reaches, find, counting, entriesOf, nameOf, links, scopeData };
})();
