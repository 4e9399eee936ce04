"use strict";
/* What every page needs: data scripts, the search field, long tables. Text is set as text only, never as markup. */
const PL = (() => {
  const root = document.documentElement.dataset.root;
  const data = new Map();
  const waiting = new Map();

  /* A data script hands its value over. */
  function put(key, value) {
    if (key.startsWith("principals/")) unfold(value);
    data.set(key, value);
  }

  /* Scopes of answers and policies of principals stand once in a script, and are called by number. */
  function unfold(run) {
    for (const answer of run.answers) answer[3] = answer[3].map((one) => run.scopes[one]);
    for (const one of run.principals) if (one.policies) one.policies = one.policies.map((place) => run.attachments[place]);
  }

  /* Load a data script once; a page opened from disk may not fetch. */
  function load(key) {
    if (!waiting.has(key)) {
      waiting.set(key, new Promise((resolve, reject) => {
        const tag = document.createElement("script");
        tag.src = root + "data/" + key + ".js";
        tag.onload = () => { tag.remove(); resolve(data.get(key)); };
        tag.onerror = () => reject(new Error("data/" + key + ".js is missing: copy the whole folder of the report"));
        document.head.append(tag);
      }));
    }
    return waiting.get(key);
  }

  /* The last entry of [first key, script] pairs whose first key is not after the key. */
  function place(entries, key) {
    let low = 0, high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle][0] <= key) low = middle + 1; else high = middle;
    }
    return low ? entries[low - 1][1] : null;
  }

  const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
  const SHORT = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

  /* Control, direction and other invisible characters as escapes, as the command line writes them; `lines` keeps the ends of lines. */
  function visible(text, lines) {
    return String(text).replace(HIDDEN, (one) => {
      if (lines && one === "\n") return one;
      const code = one.codePointAt(0).toString(16);
      return SHORT[one] || (code.length < 3 ? "\\x" + code.padStart(2, "0") : code.length < 5 ? "\\u" + code.padStart(4, "0") : "\\U" + code.padStart(8, "0"));
    });
  }

  /* Attributes that are read and not used as addresses. */
  const READ = ["title", "aria-label"];

  /* An element with attributes and children; strings become text, all of it visible. */
  function make(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === false || value === null || value === undefined) continue;
      made.setAttribute(key, value === true ? "" : READ.includes(key) ? visible(value) : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "")
      .map((child) => (typeof child === "string" ? visible(child, name === "pre" || name === "mark") : child)));
    return made;
  }

  /* A part of the address; one that is no escaped text stays as it is, and is found nowhere. */
  function decoded(text) {
    try { return decodeURIComponent(text); } catch { return text; }
  }

  const LONG = /(\S{13,})/, JOINT = /\barn:[a-z-]+:|[a-z](?=[A-Z])|(?::(?!\d{1,11}\b)|[_,=])(?=[\w*{$])|\/(?=[A-Za-z*{$])/g;

  /* Text whose long words may break where their parts meet, as the pages have it; in prose only those too long for a line. */
  function breakable(text, isProse) {
    return text.split(LONG).flatMap((part, place) => {
      if (place % 2 === 0) return [part];
      const parts = part.replace(JOINT, "$& ").split(" ").flatMap((one, at) => (at ? [make("wbr"), one] : [one]));
      return isProse ? [make("span", { class: "unit" }, parts)] : parts;
    });
  }

  const code = (text) => make("code", {}, breakable(text));

  const WORDS = { a: "allowed", c: "conditional", d: "denied", b: "blocked", n: "none" };

  function verdict(letter) {
    return make("span", { class: "verdict v-" + WORDS[letter] }, make("i", { class: "shape", "aria-hidden": "true" }), WORDS[letter]);
  }

  function link(href, text, kind) { return make("a", { href: root + href, class: kind || null }, text); }

  /* The account field of an ARN; an empty text where there is none. */
  function accountIn(arn) { return arn.startsWith("arn:") ? arn.split(":")[4] || "" : ""; }

  /* What an account is called: its name, where it has one, and its id. */
  function accountName(index, account) {
    const [id, name] = index.accounts.find((one) => one[0] === account) || [account, ""];
    return [name, id].filter(Boolean).join(" ");
  }

  function principalLink(arn, name, extra) {
    return link("principal.html#" + encodeURIComponent(arn) + (extra || ""), name);
  }

  function actionLink(action) { return link(action[3], breakable(action[0]), "code"); }

  /* Actions by number, as a list of links. */
  function actionList(index, numbers) { return make("ul", { class: "actions" }, numbers.map((one) => make("li", {}, actionLink(index.actions[one])))); }

  /* The first of many drawn, and the others behind a line that says how many. */
  function few(listed, most, draw, things) {
    if (listed.length <= most + 3) return [draw(listed)];
    return [draw(listed.slice(0, most)), make("details", {}, make("summary", { class: "minor" }, number(listed.length - most) + " more " + things), draw(listed.slice(most)))];
  }

  /* A table in a frame of its own; a head is a name, or a name with the class of its column. `rows` are lists of cells. */
  function table(caption, heads, rows, kind) {
    return make("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Table: " + caption },
      make("table", { class: kind ? "rows " + kind : "rows" }, make("caption", { class: "unseen" }, caption),
        make("thead", {}, make("tr", {}, heads.map((head) => { const [name, column] = [head].flat(); return make("th", { scope: "col", class: column || null }, name); }))),
        make("tbody", {}, rows.map((cells) => make("tr", {}, cells)))));
  }

  /* The verdict that lets most through. */
  function best(letters) { return ["a", "c", "d"].find((one) => letters.includes(one)) || "n"; }

  /* What a stored verdict comes to under what is taken for granted. */
  function again(letter) { return [verdict(letter), make("span", { class: "minor" }, " as read again")]; }

  function number(count) { return count.toLocaleString("en"); }

  /* "1 role", "2,000 roles". */
  function counted(count, thing) { return number(count) + " " + thing + (count === 1 ? "" : "s"); }

  /* "0-2,5" as numbers. */
  function ranges(text) {
    const found = [];
    for (const part of text ? text.split(",") : []) {
      const [first, last] = part.split("-").map(Number);
      for (let n = first; n <= (last === undefined ? first : last); n++) found.push(n);
    }
    return found;
  }

  /* "a3c1" as "aaac". */
  function runs(text) { return text.replace(/([a-z])(\d+)/g, (_, letter, times) => letter.repeat(times)); }

  /* "4*3,7" as 4, 4, 4, 7. */
  function repeats(text) {
    return text ? text.split(",").flatMap((part) => { const [one, times] = part.split("*").map(Number); return Array(times || 1).fill(one); }) : [];
  }

  /* Filters live in the address: what is typed stays in a copied link, and the back button undoes it. */
  function readHash() { return new URLSearchParams(location.hash.slice(1)); }

  /* The address of a page about one thing: its name, and what is asked of it. */
  function address() {
    const [name, ...rest] = location.hash.slice(1).split("&");
    const given = new URLSearchParams(rest.join("&"));
    const of = (key) => given.get(key) || "";
    return { name: decoded(name), action: of("action"), assumed: { scenario: of("scenario"), if: of("if") } };
  }

  function writeNamed(name, filters) {
    const text = spelt(filters);
    writeAddress("#" + encodeURIComponent(name) + (text ? "&" + text : ""));
  }

  const spelt = (filters) => new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString().replaceAll("%3A", ":");

  /* Let links lead on with filters. */
  function carry(links, filters) {
    const text = spelt(filters);
    for (const one of links) {
      one.dataset.plain = one.dataset.plain || one.getAttribute("href");
      one.setAttribute("href", one.dataset.plain + (text ? "&" + text : ""));
    }
  }

  function writeHash(filters) {
    const text = spelt(filters);
    writeAddress(text ? "#" + text : location.pathname + location.search);
  }

  /* What is typed without a pause is one step back, and each choice is one. */
  const PAUSE = 1200;
  let written = -PAUSE;
  function writeAddress(address) {
    if (address === location.hash || (!location.hash && !address.startsWith("#"))) return;
    const now = performance.now(), isTyped = document.activeElement && document.activeElement.tagName === "INPUT";
    if (!isTyped || now - written > PAUSE) history.pushState(null, "", address); else history.replaceState(null, "", address);
    written = now;
  }

  function failed(error, place) {
    place.replaceChildren(make("p", { class: "notice", role: "alert" }, error.message));
  }

  /* A document's statements as JSON, each in a block of its own; those in `marked` stand out. */
  function statements(text, marked, id) {
    let listed;
    try { listed = JSON.parse(text).Statement; } catch { listed = null; }
    if (!listed) return [make("pre", {}, text)];
    return (Array.isArray(listed) ? listed : [listed]).map((statement, index) => statement === null ? make("p", { class: "minor" },
      "Statement " + (index + 1) + " does not name the principals of this part and is left out.") : make("div",
      { class: "statement" + (marked.has(index) ? " marked" : ""), "data-index": String(index) },
      make("p", { class: "minor" }, link("policy.html#" + id + ":" + index, "Statement " + (index + 1) + (statement.Sid ? ", " + statement.Sid : ""))),
      make("pre", { tabindex: "0", "aria-label": "Statement " + (index + 1) }, JSON.stringify(inOrder(statement), null, 2))));
  }

  const ELEMENTS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

  /* A statement's elements in the order in which people write them. */
  function inOrder(statement) {
    const names = ELEMENTS.filter((name) => name in statement).concat(Object.keys(statement).filter((name) => !ELEMENTS.includes(name)));
    return Object.fromEntries(names.map((name) => [name, statement[name]]));
  }

  /* Text that a table holds, as CSV. A text that a spreadsheet would take for a formula gets a quote before it. */
  function csv(rows) {
    const cell = (text) => {
      const safe = /^(?:\s*[=+\-@＝＋－＠]|[\t\r])/.test(text) && !/^[+-]?[\d,.]+$/.test(text) ? "'" + text : text;
      return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
    };
    return rows.map((row) => row.map((text) => cell(String(text))).join(",") + "\r\n").join("");
  }

  function save(name, rows) {
    const address = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
    const way = make("a", { href: address, download: name });
    way.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  async function policy(id) {
    const index = await load("index");
    const key = place(index.policies, id);
    const run = key && await load(key);
    return run && Object.hasOwn(run, id) ? run[id] : undefined;
  }

  const SVG = "http://www.w3.org/2000/svg";

  /* A bar of parts, each [class, count], of `total`. The numbers stand beside it: it is a picture only. */
  function bar(parts, total) {
    const made = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries({ class: "bar", viewBox: "0 0 1000 12", preserveAspectRatio: "none", "aria-hidden": "true" })) made.setAttribute(key, value);
    let x = 0;
    for (const [kind, count] of parts) {
      const part = document.createElementNS(SVG, "rect");
      const width = total ? count * 1000 / total : 0;
      for (const [key, value] of Object.entries({ class: kind, x: x.toFixed(2), width: width.toFixed(2), height: 12 })) part.setAttribute(key, value);
      made.append(part);
      x += width;
    }
    return made;
  }

  /* A statement and its corrected form, line by line. */
  function difference(text, name, kind = "corrected") {
    return make("details", { class: kind }, make("summary", {}, name), make("pre", { tabindex: "0", "aria-label": name[0].toUpperCase() + name.slice(1) },
      text.split("\n").flatMap((line) => [line[0] === "-" ? make("del", {}, line) : line[0] === "+" ? make("ins", {}, line) : line, "\n"])));
  }

  /* What to do in words, and after them the commands. */
  function steps(text) {
    const [words, ...commands] = text.split("\n");
    return [words, " ", difference(commands.join("\n"), "commands", "corrected commands")];
  }

  /* The rows of a piece of a table: text, address and kind of each cell. */
  function rows(piece) {
    const cells = piece.cells.map((cell) => (typeof cell === "string" ? [cell, "", ""] : [cell[0], cell[1] === 0 ? "principal.html#" + cell[0] : cell[1], cell[2]]));
    return piece.rows.map((row) => row.map((one) => cells[one]));
  }

  return { rows, difference, steps, put, load, bar, place, make, breakable, code, visible, decoded, verdict, again, best, link, principalLink, accountIn, accountName, actionLink, actionList, few, table,
    number, counted, ranges, runs, repeats, readHash, writeHash, address, writeNamed, carry, spelt, failed, statements, policy, csv, save, WORDS, root, whole: new Map() };
})();

/* Find: an action's name leads to its page, anything else to the matrix. */
(() => {
  const form = document.querySelector("[data-find]");
  const field = form.querySelector("input");
  field.addEventListener("focus", async () => {
    const index = await PL.load("index");
    form.querySelector("datalist").replaceChildren(...index.actions.map((action) => PL.make("option", { value: PL.visible(action[0]) })));
  }, { once: true });
  const only = (listed) => (listed.length === 1 ? listed[0] : null);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    const index = await PL.load("index");
    const action = index.actions.find((one) => [one[0], PL.visible(one[0])].some((name) => name.toLowerCase() === text.toLowerCase()))
      || only(index.actions.filter((one) => one[0].split(":")[1].toLowerCase() === text.toLowerCase()));
    location.href = PL.root + (action ? action[3] : "matrix.html#q=" + encodeURIComponent(text));
  });
})();

/* Long tables: the page holds the first rows, scripts the others. */
for (const button of document.querySelectorAll("[data-more]")) {
  const line = button.closest(".more");
  const table = line.previousElementSibling.querySelector("table");
  const pieces = table.dataset.pieces.split(" ");
  const more = async () => {
    try {
      const rows = PL.rows(await PL.load(pieces.shift()));
      button.dataset.read = Number(button.dataset.read || 0) + 1;
      table.tBodies[0].append(...rows.map((cells) => PL.make("tr", {}, cells.map(([text, href, kind], at) => PL.make("td",
        { class: ["number", "day", "whole", "word"].includes(kind) ? kind : kind.startsWith("severity") ? "word" : null, "data-name": ["number", "day"].includes(kind) ? table.tHead.rows[0].cells[at].textContent : null },
        kind === "lines" ? text.replaceAll("\n", ";\n").split("\n").flatMap((line, at) => [at ? PL.make("br") : "", ...PL.breakable(line, true)]) : kind === "difference" ? PL.difference(text, "corrected statement") : kind === "added" ? PL.difference(text, "statement to add") : kind === "steps" ? PL.steps(text) : href ? PL.link(href, PL.breakable(text), kind === "code" ? "code" : null)
          : kind === "code" || kind === "hash" ? PL.make("code", { class: kind === "hash" ? "hash" : null }, PL.breakable(text)) : kind.startsWith("severity") ? PL.make("span", { class: kind }, text) : kind === "number" && text === "0" ? PL.make("span", { class: "nil" }, text) : PL.breakable(text, true))))));
      line.querySelector("[data-shown]").textContent = PL.number(table.tBodies[0].rows.length) + " of "
        + PL.number(Number(table.dataset.count)) + " rows";
      if (!pieces.length) button.remove();
    } catch (error) { pieces.length = 0; button.remove(); PL.failed(error, line); }
  };
  let reading = Promise.resolve();
  button.addEventListener("click", () => { reading = reading.then(() => pieces.length ? more() : null); });
  PL.whole.set(table, async () => { while (pieces.length) { button.click(); await reading; } });
}

/* Long lists that the page holds whole: the first on the screen, the others on a click. Paper has all. */
PL.fold = (list) => {
  const few = Number(list.dataset.fold), rest = [...list.children].slice(few);
  if (rest.length <= 3) return;
  const button = PL.make("button", { type: "button" }, "Show more");
  const line = PL.make("p", { class: "more on-screen" }, button, PL.make("span", {}, PL.number(few) + " of " + PL.number(list.children.length)));
  const fold = (isFolded) => { for (const one of rest) one.classList.toggle("folded", isFolded); };
  button.addEventListener("click", () => { fold(false); button.remove(); line.lastElementChild.remove(); });
  fold(true);
  (list.closest(".scroller") || list).after(line);
};
for (const list of document.querySelectorAll("[data-fold]")) PL.fold(list);

/* Every table as CSV: its rows, those that are still in scripts included. */
(() => {
  const inLine = (text) => text.replace(/;?\s*\n\s*/g, "; ").trim();
  const text = (cell) => inLine(cell.innerText);
  async function rows(table) {
    const shown = [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(text));
    const more = table.closest(".scroller") && table.closest(".scroller").nextElementSibling;
    const rest = more && more.matches(".more") ? more.querySelector("[data-more]") : null;
    const pieces = rest ? await Promise.all(table.dataset.pieces.split(" ").slice(Number(rest.dataset.read || 0)).map((key) => PL.load(key))) : [];
    return [...shown, ...pieces.flatMap(PL.rows).map((cells) => cells.map(([one]) => inLine(one)))];
  }
  function offer(table) {
    table.dataset.offered = "";
    const caption = table.caption ? table.caption.textContent : document.title;
    const button = PL.make("button", { type: "button", "aria-label": "CSV of " + caption }, "CSV");
    button.addEventListener("click", async () => PL.save(caption.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 60) + ".csv", await rows(table)));
    const place = table.closest(".scroller") || table;
    const more = place.nextElementSibling;
    if (more && more.matches(".more")) more.append(PL.make("span", { class: "tools" }, button));
    else place.after(PL.make("p", { class: "tools" }, button));
  }
  const look = () => document.querySelectorAll("table.rows:not([data-offered])").forEach(offer);
  look();
  new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });
})();

/* What is folded away is printed too, but for whole documents and for statements of pages and pages: of a large organization there are thousands. */
const MOST_PRINTED = 40;
let unfolded = [], moved = [];

/* A statement in a table stands below its row, over the whole width: a narrow column makes it pages long. */
function below(one, said) {
  const row = one.closest("tr"), place = PL.make("span", {}, said + ", below");
  one.replaceWith(place);
  const line = PL.make("tr", {}, PL.make("td", { colspan: String(row.cells.length) }, one));
  row.after(line);
  row.classList.add("goes-on");
  return () => { place.replaceWith(one); line.remove(); row.classList.remove("goes-on"); };
}

window.addEventListener("beforeprint", () => {
  const told = new Map(); /* by table, the numbers of its statements: each is printed once */
  const all = [...document.querySelectorAll("main details:not([data-policy])")];
  unfolded = all.filter((one) => !one.open);
  for (const one of all) {
    const pre = one.matches(".corrected") && one.querySelector("pre");
    if (!pre) { one.open = true; continue; }
    const lines = pre.textContent.trim().split("\n").length + pre.querySelectorAll("br").length;
    const table = one.closest("table");
    if (!told.has(table)) told.set(table, new Map());
    const numbers = told.get(table), isTold = numbers.has(pre.textContent);
    if (!isTold) numbers.set(pre.textContent, numbers.size + 1);
    one.open = lines <= MOST_PRINTED && !isTold;
    const summary = one.querySelector("summary");
    summary.dataset.paper = numbers.get(pre.textContent) + (isTold ? ", above" : one.open ? "" : ": " + PL.number(lines) + " lines, on the screen");
    if (one.open && table) moved.push(below(one, summary.textContent + " " + summary.dataset.paper));
  }
  document.documentElement.style.setProperty("--sheet", JSON.stringify(document.title + ", snapshot " + document.documentElement.dataset.snapshot));
});
window.addEventListener("afterprint", () => {
  for (const one of unfolded) one.open = false;
  for (const back of moved) back();
  moved = [];
});

/* Filter fields of tables: the rows that are still in scripts are read before they are filtered. */
/* Whether a text has a word in it; one in quotes as a whole, so that "aws:SourceVpc" is not aws:SourceVpce. */
function holds(word) {
  if (!/^".+"$/.test(word)) return (text) => text.includes(word);
  const whole = new RegExp("(?<![\\w:/-])" + word.slice(1, -1).replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "(?![\\w:/-])");
  return (text) => whole.test(text);
}
for (const field of document.querySelectorAll("[data-filter]")) {
  const place = document.getElementById(field.dataset.filter);
  const table = place.tBodies ? place : place.querySelector("table");
  const status = document.querySelector(`[data-filter-status="${field.dataset.filter}"]`);
  const apply = async () => {
    if (field.value.trim() && PL.whole.has(table)) await PL.whole.get(table)();
    const words = (field.value.toLowerCase().match(/"[^"]+"|\S+/g) || []).map(holds);
    const rows = [...table.tBodies[0].rows];
    let shown = 0;
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !words.every((word) => word(text));
      shown += row.hidden ? 0 : 1;
    }
    status.replaceChildren(...words.length ? [PL.make("span", { class: "on-paper" }, "Filter: " + field.value.trim() + "; "), PL.number(shown) + " of " + PL.number(rows.length)] : []);
  };
  field.addEventListener("input", () => { apply(); PL.writeHash({ ...Object.fromEntries(PL.readHash()), [field.dataset.hash]: field.value }); });
  const read = () => { field.value = PL.readHash().get(field.dataset.hash) || ""; apply(); };
  window.addEventListener("hashchange", read);
  read();
}
