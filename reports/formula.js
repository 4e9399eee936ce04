"use strict";
/* Evaluates the lake's formulas under what is taken for granted of a request: allowed (a), conditional (c) or denied (d).
   The same meaning as pipeline/evaluate/scenarios.py: data/formulas hold, for each key, every way in which it can make the
   tests on it true and false; what is given leaves some of them. What cannot be told stays conditional. */
const FORMULA = (() => {
  const MOST_STEPS = 20000;
  const ANY = 1, RUN = 2; /* tokens of a glob; any other token is a character */
  const TAG_ALIAS = "sagemaker:resourcetag/", TAG_KEY = "aws:resourcetag/";
  const SAME_FACT = { "aws:currenttime": "aws:epochtime", "aws:epochtime": "aws:currenttime" };
  const NEGATED = new Set(["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals",
    "NotIpAddress", "ArnNotEquals", "ArnNotLike"]);
  const SPACE = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  const STRIP = new RegExp("^" + SPACE + "|" + SPACE + "$", "g");
  const strip = (text) => text.replace(STRIP, "");

  /* Texts. Undefined is "cannot tell" in all that follows. */

  const ESCAPES = { "*": "*", "?": "?", "$": "$" };

  /* A text of a policy as tokens: wildcards, and the characters that stand for themselves. */
  function tokens(text, hasVariables) {
    const found = [];
    for (const [part, inside] of text.matchAll(/\$\{([^}]*)\}|[\s\S]/gu)) {
      if (inside !== undefined && hasVariables) found.push(...(Object.hasOwn(ESCAPES, inside) ? [ESCAPES[inside]] : inside));
      else for (const one of part) found.push(one === "*" ? RUN : one === "?" ? ANY : one);
    }
    return found;
  }

  const plain = (text, hasVariables) => tokens(text, hasVariables).map((one) => (one === RUN ? "*" : one === ANY ? "?" : one)).join("");

  function globMatches(pattern, text) {
    const characters = [...text];
    let at = 0, place = 0, run = -1, from = 0;
    while (at < characters.length) {
      if (place < pattern.length && pattern[place] === RUN) { run = place++; from = at; }
      else if (place < pattern.length && (pattern[place] === ANY || pattern[place] === characters[at])) { place++; at++; }
      else if (run >= 0) { place = run + 1; at = ++from; }
      else return false;
    }
    while (place < pattern.length && pattern[place] === RUN) place++;
    return place === pattern.length;
  }

  /* Six fields, the last with all colons that are left; null for fewer. */
  function fields(listed, colon) {
    const found = [[]];
    for (const one of listed) {
      if (one === colon && found.length < 6) found.push([]);
      else found[found.length - 1].push(one);
    }
    return found.length === 6 ? found : null;
  }

  function arnMatches(pattern, text) {
    const own = fields([...text], ":");
    if (!own || own[0].join("") !== "arn") return false;
    if (pattern.length === 1 && pattern[0] === RUN) return true;
    const wanted = fields(pattern, ":");
    return Boolean(wanted) && wanted.every((part, place) => globMatches(part, own[place].join("")));
  }

  /* By Unicode's simple case folding, which is what the two flags together mean: one character for each. */
  function sameWithoutCase(one, other) {
    if (one === other) return true;
    if (/^[\x00-\x7f]*$/.test(one + other)) return one.toLowerCase() === other.toLowerCase();
    return new RegExp("^" + one.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") + "$", "iu").test(other);
  }

  /* Numbers, moments, addresses and bytes. */

  /* A decimal number as whole units of a power of ten; null for other texts. */
  function number(text) {
    const found = /^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/.exec(strip(text));
    if (!found) return null;
    const [, sign, whole, part = "", power = "0"] = found;
    const units = BigInt(whole + part);
    return { units: sign === "-" ? -units : units, power: Number(power) - part.length };
  }

  function compare(one, other) {
    const power = Math.min(one.power, other.power);
    const scaled = (value) => value.units * 10n ** BigInt(value.power - power);
    const left = scaled(one), right = scaled(other);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  const MOMENT = /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?$/;

  /* Seconds since 1970 of a date or time; null for a text that is none, undefined for forms that are not read here. */
  function instant(text) {
    const seconds = number(text);
    if (seconds) return seconds;
    const found = MOMENT.exec(strip(text));
    if (!found) return /^\d/.test(strip(text)) ? undefined : null;
    const [year, month, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map((part) => (part === undefined ? undefined : Number(part)));
    const made = new Date(0);
    made.setUTCFullYear(year, month - 1, day);
    if (year < 1 || made.getUTCMonth() !== month - 1 || made.getUTCDate() !== day || minute > 59 || second > 59) return null;
    if (hour > 23) return undefined;
    const zone = /^([+-])(\d{2}):?(\d{2})?$/.exec(found[8] || "");
    const offset = zone ? (Number(zone[2]) * 3600 + Number(zone[3] || 0) * 60) * (zone[1] === "-" ? -1 : 1) : 0;
    if (Math.abs(offset) >= 86400) return undefined;
    const micro = BigInt((found[7] || "").slice(0, 6).padEnd(6, "0"));
    return { units: BigInt(made.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset) * 1000000n + micro, power: -6 };
  }

  /* A moment as seconds since 1970, written as a number. */
  function seconds(text) {
    const found = instant(text);
    if (!found || found.power >= 0) return found ? String(found.units * 10n ** BigInt(found.power)) : text;
    const digits = String(found.units < 0n ? -found.units : found.units).padStart(1 - found.power, "0");
    return (found.units < 0n ? "-" : "") + digits.slice(0, found.power) + "." + digits.slice(found.power);
  }

  const ORDER = {
    Equals: (sign) => sign === 0, NotEquals: (sign) => sign === 0, LessThan: (sign) => sign < 0, LessThanEquals: (sign) => sign <= 0,
    GreaterThan: (sign) => sign > 0, GreaterThanEquals: (sign) => sign >= 0,
  };

  function boolean(text) {
    const word = strip(text).toLowerCase();
    return word === "true" ? true : word === "false" ? false : null;
  }

  function octets(text) {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const bits = [...text.replace(/=+$/, "")].map((one) => digits.indexOf(one).toString(2).padStart(6, "0")).join("");
    return bits.slice(0, bits.length - (bits.length % 8));
  }

  /* An address as version and number; null for other texts, undefined for forms that are not read here. */
  function address(given) {
    const text = strip(given);
    if (text.includes("%")) return undefined;
    const four = (part) => {
      const listed = part.split(".");
      if (listed.length !== 4 || !listed.every((one) => /^(0|[1-9]\d{0,2})$/.test(one) && Number(one) < 256)) return null;
      return listed.reduce((sum, one) => sum * 256n + BigInt(one), 0n);
    };
    if (!text.includes(":")) { const value = four(text); return value === null ? null : { bits: 32, value }; }
    const halves = text.split("::");
    if (halves.length > 2) return null;
    const groups = (half) => (half === "" ? [] : half.split(":"));
    const head = groups(halves[0]), tail = halves.length > 1 ? groups(halves[1]) : [];
    const last = tail.length ? tail : head;
    if (last.length && last[last.length - 1].includes(".")) {
      const value = four(last.pop());
      if (value === null) return null;
      last.push((value >> 16n).toString(16), (value & 0xffffn).toString(16));
    }
    const missing = 8 - head.length - tail.length;
    if (halves.length > 1 ? missing < 1 : missing !== 0) return null;
    const all = [...head, ...Array(halves.length > 1 ? missing : 0).fill("0"), ...tail];
    if (!all.every((one) => /^[0-9a-fA-F]{1,4}$/.test(one))) return null;
    return { bits: 128, value: all.reduce((sum, one) => sum * 65536n + BigInt("0x" + one), 0n) };
  }

  function isWithin(text, network) {
    const [start, length, ...more] = network.split("/");
    const one = address(text), first = address(start);
    if (one === null || first === null) return false;
    if (!one || !first || more.length || !(length === undefined || /^\d{1,3}$/.test(length))) return undefined;
    const rest = BigInt(first.bits - Number(length === undefined ? first.bits : length));
    return one.bits === first.bits && rest >= 0n && one.value >> rest === first.value >> rest;
  }

  /* Tests: {operator, qualifier, ifExists, key, values, hasVariables, isOpaque}. */

  const some = (listed) => (listed.includes(true) ? true : listed.includes(undefined) ? undefined : false);
  const every = (listed) => (listed.includes(false) ? false : listed.includes(undefined) ? undefined : true);
  const not = (truth) => (truth === undefined ? undefined : !truth);

  function matchesValue(test, text, value) {
    const { operator } = test;
    if (operator.startsWith("Arn")) return arnMatches(tokens(value, test.hasVariables), text);
    if (operator.startsWith("String") || operator.startsWith("Resource")) {
      if (operator.includes("Like")) return globMatches(tokens(value, test.hasVariables), text);
      const wanted = plain(value, test.hasVariables);
      return operator.endsWith("IgnoreCase") ? sameWithoutCase(wanted, text) : wanted === text;
    }
    if (operator.startsWith("Numeric") || operator.startsWith("Date")) {
      const read = operator.startsWith("Date") ? instant : number;
      const left = read(text), right = read(value);
      if (left === null || right === null) return false;
      return left && right ? ORDER[operator.replace(/^Numeric|^Date/, "")](compare(left, right)) : undefined;
    }
    if (operator === "Bool") return boolean(text) !== null && boolean(text) === boolean(value);
    if (operator.startsWith("Binary")) return octets(text) !== null && octets(text) === octets(value);
    return isWithin(text, value);
  }

  function nullHolds(test, isPresent) {
    if (test.qualifier) return test.qualifier === "ForAllValues";
    return test.values.some((value) => boolean(value) === !isPresent);
  }

  function whenAbsent(test) {
    if (test.operator === "Null") return nullHolds(test, false);
    if (test.qualifier === "ForAnyValue") return false;
    if (test.ifExists || test.qualifier === "ForAllValues") return true;
    return NEGATED.has(test.operator);
  }

  /* Whether a test holds for the values of its key; none is a key that is absent. */
  function holds(test, values) {
    const present = values.filter((value) => value !== "" || !(test.operator === "Null" || test.qualifier));
    if (!present.length) return whenAbsent(test);
    if (test.operator === "Null") return nullHolds(test, true);
    if (test.isOpaque) return undefined;
    const hits = present.map((text) => some(test.values.map((value) => matchesValue(test, text, value))));
    const isNegated = NEGATED.has(test.operator);
    if (test.qualifier === "ForAllValues") return isNegated ? not(some(hits)) : every(hits);
    if (test.qualifier === "ForAnyValue") return isNegated ? not(every(hits)) : some(hits);
    return isNegated ? not(some(hits)) : some(hits);
  }

  /* Formulas: true, false, the number of a test, ["!", f], ["&", f...], ["|", f...]. */

  function value(f, truths) {
    if (typeof f === "boolean") return f;
    if (typeof f === "number") return truths[f];
    if (f[0] === "!") return not(value(f[1], truths));
    const absorbing = f[0] === "|";
    let isOpen = false;
    for (let place = 1; place < f.length; place++) {
      const found = value(f[place], truths);
      if (found === absorbing) return absorbing;
      isOpen = isOpen || found === undefined;
    }
    return isOpen ? undefined : !absorbing;
  }

  /* The tests that still matter where some truths are known. */
  function open(f, truths, into) {
    if (typeof f === "number") { if (truths[f] === undefined) into.add(f); }
    else if (typeof f === "object" && value(f, truths) === undefined) for (const part of f.slice(1)) open(part, truths, into);
    return into;
  }

  /* Facts: what is taken for granted of keys. */

  function oneSpelling(key) {
    const lowered = key.toLowerCase();
    return lowered.startsWith(TAG_ALIAS) ? TAG_KEY + lowered.slice(TAG_ALIAS.length) : lowered;
  }

  const isIn = (fact, state) => (state === "absent" ? fact.state === "absent"
    : (fact.state === "present" || fact.state === "fixed") && (state === "present" || (fact.values.length === 1 && fact.values[0] === state)));

  const fixed = (key, values) => ({ key, state: values.length ? "fixed" : "absent", values });

  /* Add to facts what AWS ties to them. Throws an Error where no request has them together. */
  function complete(facts, ties, names) {
    const queue = [...facts.keys()];
    while (queue.length) {
      const key = queue.pop();
      for (const [cause, state, other, otherState, why] of ties) {
        if (cause !== key || !isIn(facts.get(key), state)) continue;
        const held = facts.get(other);
        const isOpen = held && held.state === "present" && !held.values.length;
        if (held && !(isOpen && (otherState === "true" || otherState === "false"))) {
          if (!isIn(held, otherState)) throw new Error(said(facts.get(key), names) + " and " + said(held, names) + " exclude each other: " + why);
          continue;
        }
        const truth = otherState === "true" || otherState === "false";
        facts.set(other, truth ? fixed(other, [otherState]) : { key: other, state: otherState, values: [] });
        queue.push(other);
      }
    }
    const called = facts.get("aws:calledvia");
    if (called && called.state === "fixed") {
      for (const [end, text] of [["aws:calledviafirst", called.values[0]], ["aws:calledvialast", called.values[called.values.length - 1]]]) {
        const held = facts.get(end);
        if (held && held.state === "fixed" && held.values[0] !== text) throw new Error(said(called, names) + " and " + said(held, names) + " exclude each other: one of them is not an end of the chain");
        facts.set(end, fixed(end, [text]));
      }
    }
    for (const [key, other] of Object.entries(SAME_FACT)) {
      const moment = facts.get(key);
      if (!moment || moment.state !== "fixed") continue;
      const held = facts.get(other);
      if (!held || held.state !== "fixed") facts.set(other, fixed(other, [seconds(moment.values[0])]));
      else if (instant(held.values[0]) && instant(moment.values[0]) && compare(instant(held.values[0]), instant(moment.values[0]))) {
        throw new Error(said(moment, names) + " and " + said(held, names) + " are two moments; leave one of them out");
      }
    }
    return facts;
  }

  function said(fact, names) {
    const name = (names && names[fact.key] && names[fact.key][0]) || fact.key;
    if (fact.state === "absent") return name + " is absent";
    return fact.values.length ? name + " is " + fact.values.join(" and ") : name + " is present";
  }

  const test = ([operator, qualifier, ifExists, key, values, hasVariables, isOpaque]) => ({ operator, qualifier, ifExists: Boolean(ifExists), key, values,
    hasVariables: Boolean(hasVariables), isOpaque: Boolean(isOpaque) });

  /* What is taken for granted: a scenario of data/facts (or null) and the given values by key, [] for a key that is left out.
     Throws an Error that says what is wrong. */
  function state(data, scenario, given) {
    const facts = new Map();
    const of = data.scenarios.find((one) => one.name === scenario);
    for (const fact of of ? of.facts : []) facts.set(fact.key, { ...fact });
    for (const [name, values] of given) {
      const key = oneSpelling(name);
      const held = facts.get(key);
      if (held && held.tests && value(held.formula, held.tests.map((one) => holds(test(one), values))) === false) {
        throw new Error(((data.keys[key] || [])[0] || name) + ": in the scenario “" + of.title + "” " + held.said + "; leave one of the two out");
      }
      facts.set(key, fixed(key, values));
    }
    complete(facts, data.ties, data.keys);
    return { facts, scenario: of ? of.name : null, known: new Map() };
  }

  const OWN_ACCOUNT = "{ownaccount}";

  /* Whether a text compares a fact with the account of whoever asks, and its id might matter. */
  function dependsOnAccount(one, fact) {
    if (!one.values.some((text) => text.includes(OWN_ACCOUNT))) return false;
    const isPlain = !fact.values.some((text) => /\d{12}|[*?]/.test(text));
    return !(isPlain && /^(String|Arn|Resource)/.test(one.operator));
  }

  const ABSENT = { state: "absent", values: [] };

  function factOf(name, taken) {
    const key = oneSpelling(name.replace(/ #\d+$/, ""));
    return taken.facts.get(key) || (taken.hasAllTags && key.startsWith(TAG_KEY) ? ABSENT : undefined);
  }

  const ofAccount = (one, account) => (account && one.values.some((text) => text.includes(OWN_ACCOUNT))
    ? { ...one, values: one.values.map((text) => text.replaceAll(OWN_ACCOUNT, account)) } : one);

  /* What is taken for granted, with what is known of one resource: its ARN, account, region and all of its tags. */
  function onResource(taken, arn, tags, account) {
    const facts = new Map(taken.facts);
    const [, , , region, owner] = arn.split(":");
    facts.set("resource", fixed("resource", [arn]));
    if (owner) facts.set("aws:resourceaccount", fixed("aws:resourceaccount", [owner]));
    if (region && !facts.has("aws:requestedregion")) facts.set("aws:requestedregion", fixed("aws:requestedregion", [region]));
    const names = tags.map(([name]) => name.toLowerCase());
    let hasAllTags = true;
    tags.forEach(([name, value], place) => {
      const key = TAG_KEY + name.toLowerCase();
      if (names.indexOf(names[place]) !== names.lastIndexOf(names[place])) { hasAllTags = false; return; } /* two spellings of one key: which counts is not told */
      if (!facts.has(key)) facts.set(key, fixed(key, [value]));
    });
    return { ...taken, facts, hasAllTags, account, known: new Map() };
  }

  /* Whether a scope reaches a resource of an account: an open variable may be anything, and takes nothing out. */
  function covers(pattern, exceptions, arn) {
    const wanted = tokens(pattern.replace(/\$\{(?![*?$]\})[^}]*\}/g, "*"), true);
    const isOpen = (text) => /\$\{(?![*?$]\})[^}]*\}/.test(text);
    return globMatches(wanted, arn) && !exceptions.some((text) => !isOpen(text) && globMatches(tokens(text, true), arn));
  }

  /* What is known of a group: {truths} of tests that are settled, {ways} that are left, or neither where nothing is. */
  function ofGroup(piece, place, taken) {
    const [key, numbers, ways] = piece.groups[place];
    const all = ways && ways.map((way) => way.slice(1));
    const truths = {};
    const settledKeys = new Set();
    let left = ways;
    for (const name of new Set(numbers.map((one) => piece.tests[one].key))) {
      const fact = factOf(name, taken);
      const own = numbers.filter((one) => piece.tests[one].key === name);
      if (!fact || (!taken.account && own.some((one) => dependsOnAccount(piece.tests[one], fact)))) continue;
      if (fact.state === "absent" || fact.state === "fixed") {
        for (const one of own) {
          const truth = holds(ofAccount(piece.tests[one], taken.account), fact.state === "absent" ? [] : fact.values);
          if (truth !== undefined) truths[one] = truth;
        }
        if (own.every((one) => truths[one] !== undefined)) settledKeys.add(name);
      } else if (fact.state === "present" && left) left = left.filter((way) => way[0] === "p");
    }
    const limited = taken.scenario ? (piece.limits[taken.scenario] || {})[place] : undefined;
    if (limited !== undefined && numbers.every((one) => truths[one] === undefined)) {
      return { truths, ways: limited, numbers, settledKeys, key };
    }
    if (Object.keys(truths).length) {
      const openPlaces = numbers.map((one, at) => (truths[one] === undefined ? at : -1)).filter((at) => at >= 0);
      if (openPlaces.length) { /* a text with a variable that nobody knows: either way */
        left = [];
        for (let bits = 0; bits < 2 ** openPlaces.length; bits++) {
          left.push(numbers.map((one, at) => (truths[one] !== undefined ? Number(truths[one]) : (bits >> openPlaces.indexOf(at)) & 1)).join(""));
        }
        return { truths, ways: openPlaces.length > 12 ? null : left, numbers, settledKeys, key };
      }
      return { truths, ways: [], numbers, settledKeys, key };
    }
    return { truths, ways: left && (left === ways ? all : left.map((way) => way.slice(1))), numbers, settledKeys, key };
  }

  /* What a condition comes to. */
  function verdict(piece, place, taken) {
    const [f, ties, groups] = piece.formulas[place];
    const found = groups.map((group) => remembered(piece, group, taken));
    const truths = {};
    for (const group of found) Object.assign(truths, group.truths);
    const plainly = value(f, truths);
    if (plainly !== undefined) return plainly ? "a" : "d";
    const settled = new Set(found.flatMap((group) => [...group.settledKeys]));
    const counting = ties.filter(([one, other]) => !settled.has(one) && !settled.has(other)).map(([, , tie]) => tie);
    if (!possible(["&", f, ...counting], found, truths)) return "d";
    return possible(["&", ["!", f], ...counting], found, truths) ? "c" : "a";
  }

  function remembered(piece, group, taken) {
    if (!taken.known.has(piece)) taken.known.set(piece, new Map());
    const known = taken.known.get(piece);
    if (!known.has(group)) known.set(group, ofGroup(piece, group, taken));
    return known.get(group);
  }

  /* Whether some choice of a way for each key makes the formula true; a search that is too long says yes. */
  function possible(f, groups, truths) {
    const left = open(f, truths, new Set());
    const asked = groups.filter((group) => group.numbers.some((one) => left.has(one)));
    if (asked.some((group) => !group.ways)) return value(f, truths) !== false;
    asked.sort((one, other) => one.ways.length - other.ways.length);
    let steps = MOST_STEPS;
    const known = { ...truths };
    const search = (depth) => {
      const decided = value(f, known);
      if (decided === false) return false;
      if (decided === true && asked.slice(depth).every((group) => group.ways.length)) return true;
      if (depth === asked.length) return true;
      const { numbers, ways } = asked[depth];
      const before = numbers.map((one) => known[one]);
      for (const way of ways) {
        if (--steps < 0) return true;
        numbers.forEach((one, at) => { known[one] = way[at] === "1"; });
        if (search(depth + 1)) return true;
      }
      numbers.forEach((one, at) => { known[one] = before[at]; });
      return false;
    };
    return search(0);
  }

  const RANK = { d: 0, c: 1, a: 2 }, LETTER = ["d", "c", "a"];

  /* What a cell comes to: of each resource type the best row; of the types that every call needs the weakest, or else the best.
     `demand` is [types, joint]: a type is [is required, conditions], -1 for a row without one; `joint` is the condition that
     one call meets all types, -1 where none is needed. `verdictOf` tells what a condition comes to. */
  function cell([types, joint], verdictOf) {
    const ranks = types.map(([isRequired, conditions]) => [isRequired,
      Math.max(...conditions.map((one) => (one < 0 ? RANK.a : RANK[verdictOf(one)])))]);
    const required = ranks.filter(([isRequired]) => isRequired).map(([, rank]) => rank);
    const rank = required.length ? Math.min(...required) : Math.max(...ranks.map(([, one]) => one));
    return LETTER[rank && joint >= 0 && verdictOf(joint) === "d" ? 0 : rank];
  }

  /* A piece of data/formulas with its tests as objects. */
  const read = (piece) => ({ ...piece, tests: piece.tests.map(test) });

  /* What is wrong with a value for a key of a data type, and what to write; empty where nothing is. */
  function wrong(type, text) {
    const kind = (type || "").replace(/^ArrayOf/, "");
    if (kind === "Bool" && boolean(text) === null) return "write true or false";
    if (kind === "Numeric" && !number(text)) return "write a number";
    if (kind === "Date" && !instant(text)) return "write a date such as 2026-11-25T00:00:00Z";
    if (kind === "IPAddress" && !address(text)) return "write one address, such as 192.0.2.10";
    if (kind === "Binary" && octets(text) === null) return "write base64";
    if (kind === "ARN" && !fields([...text], ":")) return "write a whole ARN";
    return "";
  }

  return { OWN_ACCOUNT, state, onResource, covers, verdict, cell, read, wrong, oneSpelling, holds, test, said };
})();
if (typeof module !== "undefined") module.exports = FORMULA;
