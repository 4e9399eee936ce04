"use strict";
/* The matrix: only the cells in sight are in the page; accounts' scripts are read one after the other. */
(async () => {
  const ROW = 26, COLUMN = 22, HEAD = 190, BAND = 22, MARGIN = 4, ENDING = 8;
  const SHEET = { columns: 36, few: 9, half: 20, lines: 2000, whole: 12 }; /* columns side by side; columns and lines of half a sheet; lines on some fifty sheets; principals that stay on one */
  const MOST_AT_ONCE = 100000; /* principals read without being asked */
  const PAUSE = 400; /* milliseconds between two looks at what was read */
  const grid = document.getElementById("grid");
  const form = document.getElementById("filters");
  const status = document.getElementById("status");
  const info = document.getElementById("cellinfo");
  const LETTER = { allowed: "a", conditional: "c", denied: "d", blocked: "b", none: "n" };
  const TYPES = { u: "user", r: "role", p: "policy" };
  /* What stands beside a name, and the most that the name of its account takes, in rem of report.css. */
  const BESIDE = 3.8, LABEL = 7;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const pen = document.createElement("canvas").getContext("2d");
  const widthOf = (text) => { pen.font = .85 * rem + "px " + getComputedStyle(grid).fontFamily; return pen.measureText(text).width; };
  let index;
  try { index = await PL.load("index"); } catch (error) { return PL.failed(error, grid); }

  const isNarrow = () => window.innerWidth < 700;
  const nameWidth = () => (isNarrow() ? 150 : form.elements.rows.value ? 400 : 300);
  const total = index.accounts.reduce((sum, account) => sum + account[2].reduce((all, run) => all + run[1], 0), 0);
  const state = { people: [], loaded: new Set(), rows: [], columns: [], row: 0, column: 0, wanted: MOST_AT_ONCE, reading: null, turn: 0 };
  /* The units above each account, the root first: who asks for one gets all that is below it. */
  const unitsOf = index.accounts.map(([, , , names]) => names.map((_, level) => names.slice(0, level + 1).join(" / ")));
  const unitOf = (person) => unitsOf[person.place].at(-1) || "";
  const labels = new Map(index.accounts.flatMap(([, , , names], place) => names.map((name, level) => [unitsOf[place][level], "– ".repeat(level) + name])));
  const units = [...labels.keys()].sort().concat(""); /* without a unit comes last */
  const NO_UNIT = "no organizational unit known";

  for (const [id] of index.accounts) {
    form.elements.account.append(PL.make("option", { value: id || "documents" }, PL.accountName(index, id)));
  }
  units.filter(Boolean).forEach((unit) => form.elements.unit.append(PL.make("option", { value: unit }, labels.get(unit))));
  if (!labels.size) form.elements.unit.closest("label").hidden = true;
  index.levels.forEach((level) => form.elements.level.append(PL.make("option", { value: level }, level)));
  index.tasks.forEach((task) => form.elements.task.append(PL.make("option", { value: task }, task)));

  const taken = TAKEN.fields(document.getElementById("taken"), (reading) => { state.reading = reading; apply(); });
  const given = () => Object.fromEntries(PL.readHash());
  let reading = false;
  const sizer = PL.make("div", { class: "sizer", role: "presentation" });
  const head = PL.make("div", { class: "head", role: "row", "aria-rowindex": "1" });
  const body = PL.make("div", { role: "presentation" });
  sizer.append(head, body);
  grid.append(sizer);

  function filters() {
    const names = ["q", "account", "unit", "type", "action", "level", "task", "verdict", "by", "rows", "sort"];
    return Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]));
  }

  /* All that the address holds. */
  const addressed = () => ({ ...filters(), ...taken.values() });

  /* Choices that leave rows or columns out: an address may name one that this report does not have, and then nothing fits. */
  const FILTERS = ["account", "unit", "type", "level", "task", "verdict"];

  const forget = () => { for (const one of form.querySelectorAll("[data-unknown]")) one.remove(); };

  function fill() {
    const given = PL.readHash();
    forget();
    for (const field of form.elements) {
      if (!field.name) continue;
      const wanted = given.get(field.name) || "";
      const option = [...(field.options || [])].find((one) => one.value.toLowerCase() === wanted.toLowerCase());
      const isUnknown = field.options && !option && FILTERS.includes(field.name);
      if (isUnknown) field.append(PL.make("option", { value: wanted, "data-unknown": "" }, wanted + " (not in this report)"));
      field.value = option ? option.value : !field.options || isUnknown ? wanted : "";
    }
  }

  /* Whether an action's name has the text in it; with * or ? it is a pattern of the name, with its service or without. */
  function fits(name, part) {
    if (!/[*?]/.test(part)) return name.includes(part);
    const pattern = new RegExp("^" + part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".") + "$");
    return pattern.test(name) || pattern.test(name.slice(name.indexOf(":") + 1));
  }

  /* Columns that the filters leave, in their groups. */
  function chooseColumns(wanted) {
    const parts = wanted.action.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
    const exact = parts.length === 1 && index.actions.findIndex((action) => action[0].toLowerCase() === parts[0]);
    const group = wanted.by === "level" ? (action) => index.levels[action[1]]
      : wanted.by === "name" ? (action) => action[0].split(":")[0] : (action) => index.tasks[action[2]];
    const order = wanted.by === "level" ? (action) => action[1] : wanted.by === "name" ? () => 0 : (action) => action[2];
    state.columns = index.actions
      .map((action, place) => ({ action, place, group: group(action), order: order(action), foreign: action[0].startsWith("sagemaker:") ? 0 : 1 }))
      .filter(({ action, place }) => (exact !== false && exact >= 0 ? place === exact
        : !parts.length || parts.some((part) => fits(action[0].toLowerCase(), part)))
        && (!wanted.level || index.levels[action[1]] === wanted.level)
        && (!wanted.task || index.tasks[action[2]] === wanted.task))
      .sort((one, other) => one.order - other.order || one.foreign - other.foreign || one.place - other.place);
  }

  function chooseRows(wanted) {
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const letters = { "": "", can: "ac", throughout: "a" }[wanted.verdict] ?? LETTER[wanted.verdict] ?? "?";
    const places = state.columns.map((column) => column.place);
    /* Throughout: whatever an action is that the reference does not know, it is asked of nobody. */
    const asked = places.filter((place) => index.levels[index.actions[place][1]] !== "Unknown");
    const fitting = counter(places, letters), allowed = counter(asked, "a");
    const holds = wanted.verdict === "throughout" ? (vector) => asked.length > 0 && allowed(vector) === asked.length : (vector) => fitting(vector) > 0;
    const chosen = state.people.filter((person) => (!wanted.account || person.account === wanted.account)
      && (!wanted.unit || unitsOf[person.place].includes(wanted.unit))
      && (!wanted.type || person.type === wanted.type)
      && words.every((word) => person.text.includes(word))
      && (!letters || holds(person.vector)));
    state.rows = [];
    let label = null;
    for (const person of sorted(chosen, wanted, places)) {
      const group = groupOf(person, wanted.rows);
      if (group !== label) { label = group; state.rows.push({ heading: group }); }
      state.rows.push(person);
    }
    state.count = chosen.length;
    state.answers = letters && wanted.verdict !== "throughout" ? chosen.reduce((sum, person) => sum + fitting(person.vector), 0) : null;
  }

  /* Counts the cells at these places that have one of the verdicts; many rows have the same cells. */
  function counter(places, letters) {
    const counts = new Map();
    return (vector) => {
      if (!counts.has(vector)) counts.set(vector, places.reduce((sum, place) => sum + (letters.includes(vector[place]) ? 1 : 0), 0));
      return counts.get(vector);
    };
  }

  const groupOf = (person, by) => (by === "none" ? "Everyone" : by === "unit" ? unitOf(person) || NO_UNIT : labelOf(person.place));

  /* Rows in the order of groups; within one by name, or those first that have most cells of a verdict. */
  function sorted(chosen, wanted, places) {
    if (!wanted.sort && wanted.rows !== "unit") return chosen;
    const rank = (person) => (wanted.rows === "none" ? 0 : wanted.rows === "unit" ? units.indexOf(unitOf(person)) : person.place);
    const letter = LETTER[wanted.sort];
    const count = counter(places, letter);
    const keyed = chosen.map((person, at) => [rank(person), letter ? -count(person.vector) : 0, at, person]);
    keyed.sort((one, other) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]);
    return keyed.map((one) => one[3]);
  }

  function apply() {
    const wanted = filters();
    chooseColumns(wanted);
    chooseRows(wanted);
    state.row = Math.max(0, Math.min(state.row, state.rows.length - 1));
    if (state.rows[state.row] && state.rows[state.row].heading !== undefined) state.row = Math.min(state.row + 1, state.rows.length - 1);
    state.column = Math.max(-1, Math.min(state.column, state.columns.length - 1));
    size();
    grid.setAttribute("aria-rowcount", String(state.rows.length + 1));
    grid.setAttribute("aria-colcount", String(state.columns.length + 1));
    tell();
    draw();
  }

  function size() {
    sizer.style.height = HEAD + state.rows.length * ROW + 12 + "px";
    sizer.style.width = nameWidth() + state.columns.length * COLUMN + 90 + "px";
  }

  /* Paper has all columns, and all rows or, of more than it takes, those from the first in view on; it says how many. */
  function layOut() {
    const strips = inStrips(state.columns);
    const most = Math.max(1, Math.floor(SHEET.lines / Math.max(1, strips.length)));
    const blocks = inBlocks(state.count > most ? Math.min(Math.floor(grid.scrollTop / ROW), state.rows.length - most) : 0, most);
    const people = blocks.flatMap((block) => block.people);
    document.getElementById("printed").textContent = people.length === state.count ? "All of them are printed."
      : "Printed: " + PL.number(people.length) + " of these principals, from " + PL.visible(people[0].name) + " on. All of them are in what the button CSV saves, and in what "
        + 'policylake sql "from access_matrix" --out matrix.csv writes; with a filter more of them fit on paper.';
    const paper = document.getElementById("paper");
    const isFew = strips.length === 1 && strips[0].length <= SHEET.few;
    paper.classList.toggle("halves", isFew);
    paper.replaceChildren(...strips.flatMap((strip) => inTables(blocks, isFew ? SHEET.half : Infinity).map((some) => sheets(strip, some))));
  }

  /* Columns in strips as wide as a sheet, those of a group and a service behind their names. */
  function inStrips(columns) {
    const strips = [];
    let last;
    for (const column of columns) {
      const service = column.action[0].split(":")[0];
      const name = ["sagemaker", column.group].includes(service) ? column.group : column.group + ", " + service;
      const next = name === last ? [column] : [{ name }, column];
      if (strips.length && strips.at(-1).length + next.length <= SHEET.columns) strips.at(-1).push(...next);
      else strips.push([{ name }, column]);
      last = name;
    }
    return strips;
  }

  /* So many principals from a row on, by their headings. */
  function inBlocks(first, most) {
    const blocks = [];
    let left = most;
    state.rows.forEach((one, at) => {
      if (one.heading !== undefined) blocks.push({ heading: one.heading, people: [] });
      else if (at >= first && left-- > 0) blocks.at(-1).people.push(one);
    });
    return blocks.filter((block) => block.people.length);
  }

  /* Blocks that stay whole on a sheet share a table; a longer one has its own, whose head repeats its heading. None has more lines than asked. */
  function inTables(blocks, most) {
    const tables = [];
    for (const { heading, people } of blocks) {
      for (let at = 0; at < people.length; at += most) {
        const piece = { heading, people: people.slice(at, at + most) }, last = tables.at(-1) || [];
        const lines = [piece, ...last].reduce((sum, one) => sum + one.people.length, 0);
        if (last.length && lines <= most && [piece, last[0]].every((one) => one.people.length <= SHEET.whole)) last.push(piece);
        else tables.push([piece]);
      }
    }
    return tables;
  }

  function sheets(strip, blocks) {
    const heading = (text) => PL.make("tr", {}, PL.make("th", { class: "heading", colspan: String(strip.length + 1) }, text));
    const isLong = blocks[0].people.length > SHEET.whole;
    return PL.make("table", {}, PL.make("thead", {}, isLong ? heading(blocks[0].heading) : null,
      PL.make("tr", {}, PL.make("th", {}, "principal"), strip.map(({ name, action }) => PL.make("th", { class: name === undefined ? null : "gap" },
        PL.make("span", {}, name === undefined ? action[0].split(":")[1] : name))))),
    blocks.map((block) => PL.make("tbody", { class: isLong ? null : "short" }, isLong ? null : heading(block.heading),
      block.people.map((one) => PL.make("tr", {}, PL.make("th", {}, typeOf(one), " ", PL.make("bdi", {}, PL.breakable(one.name)), ...about(one).flatMap((mark) => [" ", mark])),
        strip.map(({ place }) => PL.make("td", { class: place === undefined ? "gap" : "v-" + PL.WORDS[one.vector[place]] })))))));
  }

  const shortOf = (action) => action[0].replace(/^sagemaker:/, "");

  /* What stands before a principal's name and after it. */
  const typeOf = (one) => PL.make("span", { class: "type", title: one.type }, one.type === "policy" ? "doc" : one.type);
  const beside = (one) => (form.elements.rows.value && !isNarrow() ? index.accounts[one.place][1] || index.accounts[one.place][0] : "");
  const about = (one) => [beside(one) ? PL.make("span", { class: "minor" }, beside(one)) : null,
    one.incomplete ? PL.make("span", { class: "severity-error", title: "something of its policies is missing" }, "incomplete") : null].filter(Boolean);

  function tell() {
    const read = state.people.length;
    const rest = total - read;
    const words = PL.number(state.count || 0) + " of " + PL.counted(total, "principal") + ", " + PL.number(state.columns.length)
      + " of " + PL.counted(index.actions.length, "action");
    const isWhole = !rest || form.elements.account.value && !reading;
    let after = "";
    if (index.actions.length && !state.columns.length) after = ": no action fits the filters";
    else if (!state.count) after = !isWhole ? "" : total ? ": nobody fits the filters" : ": nobody was read";
    else if (isWhole && state.answers != null) after = ": " + PL.counted(state.answers, "answer");
    status.replaceChildren(words + after);
    document.getElementById("chosen").textContent = PL.visible(said());
    if (rest > 0 && state.paused && !form.elements.account.value) {
      const button = PL.make("button", { type: "button" }, "read the rest");
      button.addEventListener("click", () => { state.wanted = Infinity; read_on(); });
      status.append("; " + PL.number(rest) + " principals are not read yet: choose an account or ", button);
    } else if (rest > 0 && !form.elements.account.value) {
      status.append("; reading, " + PL.number(rest) + " to go");
    }
  }

  /* The filters in words, for paper, which shows no fields. */
  function said() {
    return [...form.elements].filter((field) => field.name && field.value)
      .map((field) => field.closest("label").firstChild.textContent.trim() + ": " + (field.selectedOptions ? field.selectedOptions[0].text : field.value.trim())).join("; ");
  }

  const labelOf = (place) => PL.visible(PL.accountName(index, index.accounts[place][0]));

  /* The rows and columns to draw: on a screen those in view and some around. */
  function part() {
    const top = Math.max(0, Math.floor(grid.scrollTop / ROW) - MARGIN);
    const left = Math.max(0, Math.floor(grid.scrollLeft / COLUMN) - MARGIN);
    return [top, Math.min(state.rows.length, top + Math.ceil(grid.clientHeight / ROW) + 2 * MARGIN),
      left, Math.min(state.columns.length, left + Math.ceil(grid.clientWidth / COLUMN) + 2 * MARGIN)];
  }

  /* Where a row and a column stand. */
  const topOf = (row) => HEAD + row * ROW + "px";
  const leftOf = (column) => nameWidth() + column * COLUMN + "px";

  function draw() {
    const wide = nameWidth();
    const [top, bottom, left, right] = part();
    drawHead(wide, left, right);
    const made = [];
    for (let place = top; place < bottom; place++) made.push(drawRow(place, wide, left, right));
    const focused = grid.contains(document.activeElement) && document.activeElement.dataset.cell !== undefined;
    body.replaceChildren(...made);
    if (focused) { const cell = current(); if (cell) cell.focus({ preventScroll: true }); }
  }

  function drawHead(wide, left, right) {
    const corner = PL.make("div", { class: "corner", role: "columnheader", "aria-colindex": "1" }, "principal");
    corner.style.width = wide + "px";
    const made = [corner];
    let start = left;
    while (start > 0 && state.columns[start] && state.columns[start - 1].group === state.columns[start].group) start--;
    for (let place = start; place < right;) {
      let end = place;
      while (end < state.columns.length && state.columns[end].group === state.columns[place].group) end++;
      const band = PL.make("div", { class: "band", "aria-hidden": "true" }, PL.make("span", {}, end - place > 1 ? state.columns[place].group : ""));
      band.style.left = leftOf(place);
      band.style.width = (end - place) * COLUMN - 2 + "px";
      band.firstChild.style.left = wide + 4 + "px";
      made.push(band);
      place = end;
    }
    for (let place = left; place < right; place++) {
      const action = state.columns[place].action;
      const name = PL.link(action[3], shortOf(action));
      name.tabIndex = -1;
      name.title = PL.visible(action[0]);
      const cell = PL.make("div", { class: "column" + (place === state.column ? " here" : ""), role: "columnheader",
        "aria-colindex": String(place + 2), "aria-label": action[0] }, name);
      cell.style.left = leftOf(place);
      made.push(cell);
    }
    head.style.height = HEAD + "px";
    head.replaceChildren(...made);
  }

  /* A name that is too long for its room: its start, what does not show, and its end, where the names of roles that AWS makes differ. */
  function cut(name, room) {
    const letters = [...PL.visible(name)], ending = isNarrow() ? ENDING / 2 : ENDING;
    if (widthOf(letters.join("")) <= room || letters.length < 2 * ending) return null;
    const end = letters.slice(-ending).join("");
    let start = letters.length - ending - 1;
    while (start > 1 && widthOf(letters.slice(0, start).join("") + "…" + end) > room) start--;
    return [letters.slice(0, start).join(""), letters.slice(start, -ending).join(""), end];
  }

  function drawRow(place, wide, left, right) {
    const one = state.rows[place];
    const row = PL.make("div", { class: "row", role: "row", "aria-rowindex": String(place + 2) });
    row.style.top = topOf(place);
    const name = PL.make("div", { class: "name", role: "rowheader", "aria-colindex": "1" });
    name.style.width = wide + "px";
    row.append(name);
    if (one.heading !== undefined) {
      row.classList.add("heading");
      name.append(PL.visible(one.heading));
      return row;
    }
    const link = PL.principalLink(one.arn, one.name, after());
    const label = beside(one);
    const parts = cut(one.name, wide - BESIDE * rem - (label ? Math.min(widthOf(label), LABEL * rem) + rem : 0) - (one.incomplete ? LABEL * rem : 0));
    if (parts) {
      link.replaceChildren(...parts.map((part) => PL.make("span", {}, part)));
      link.setAttribute("aria-label", PL.visible(one.name));
      link.classList.add("long");
    }
    link.title = PL.visible(one.arn);
    link.dataset.cell = place + ":-1";
    link.tabIndex = place === state.row && state.column === -1 ? 0 : -1;
    name.append(typeOf(one), PL.make("bdi", {}, link), ...about(one));
    for (let at = left; at < right; at++) {
      const letter = one.vector[state.columns[at].place];
      const cell = PL.make("div", { class: "cell v-" + PL.WORDS[letter], role: "gridcell", "aria-colindex": String(at + 2),
        "aria-label": PL.WORDS[letter] + ": " + one.name + ", " + state.columns[at].action[0], "data-cell": place + ":" + at,
        tabindex: place === state.row && at === state.column ? "0" : "-1" }, PL.make("i", { class: "shape", "aria-hidden": "true" }));
      cell.style.left = leftOf(at);
      row.append(cell);
    }
    return row;
  }

  function current() { return grid.querySelector(`[data-cell="${state.row}:${state.column}"]`); }

  function move(row, column) {
    const down = row >= state.row ? 1 : -1;
    row = Math.max(0, Math.min(row, state.rows.length - 1));
    while (state.rows[row] && state.rows[row].heading !== undefined) row += row === 0 ? 1 : down;
    if (!state.rows[row]) return;
    state.row = row;
    state.column = Math.max(-1, Math.min(column, state.columns.length - 1));
    const top = row * ROW, inside = grid.clientHeight - HEAD - 2 * ROW;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top > grid.scrollTop + inside) grid.scrollTop = Math.ceil((top - inside) / ROW) * ROW;
    const left = Math.max(0, state.column) * COLUMN, across = grid.clientWidth - nameWidth() - 2 * COLUMN;
    if (left < grid.scrollLeft) grid.scrollLeft = left;
    if (left > grid.scrollLeft + across) grid.scrollLeft = left - across;
    draw();
    const cell = current();
    if (cell) cell.focus({ preventScroll: true });
    say();
  }

  /* What a cell says, in words: of a conditional one the conditions. */
  async function say(row = state.row, column = state.column) {
    const one = state.rows[row];
    if (!one || one.heading !== undefined) return;
    const turn = ++state.turn;
    if (column < 0) { info.replaceChildren(PL.principalLink(one.arn, one.name, after()), ", " + labelOf(one.place)); return; }
    const { action, place } = state.columns[column];
    const before = one.stored(place), now = one.vector[place];
    const told = [PL.verdict(now), " ", PL.make("bdi", {}, address(one, action)), ", " + labelOf(one.place) + ", ", PL.actionLink(action)];
    info.replaceChildren(...told);
    if (before !== "c") return;
    try {
      const words = await TAKEN.wordsOfDemand(one.demand(place), accountOf(one));
      if (turn !== state.turn) return;
      info.replaceChildren(...told, PL.make("span", { class: "condition" }, (now === "c" ? ": " : now === "a" ? ": meets " : ": fails ") + words.filter(Boolean).join("; and ")));
    } catch (error) { PL.failed(error, info); }
  }

  /* What is taken for granted, as the end of an address. */
  function after() { const text = PL.spelt(taken.values()); return text ? "&" + text : ""; }

  /* The id of a row's account; loose documents have none. */
  const accountOf = (one) => (one.account === "documents" ? "" : one.account);

  function address(one, action) { return PL.principalLink(one.arn, one.name, "&action=" + encodeURIComponent(action[0]) + after()); }

  /* Opens the reasons of a cell; whoever comes back from them finds the cell again. */
  function open(row, column) {
    const person = state.rows[row], { action, place } = state.columns[column];
    history.replaceState({ cell: [person.arn, place] }, "");
    location.href = address(person, action).href;
  }

  function restore() {
    const [arn, place] = (history.state && history.state.cell) || [];
    const row = state.rows.findIndex((one) => arn && one.arn === arn), column = state.columns.findIndex((one) => one.place === place);
    if (row >= 0 && column >= 0) move(row, column);
  }

  grid.addEventListener("keydown", (event) => {
    if (event.target.dataset.cell === undefined || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((grid.clientHeight - HEAD) / ROW) - 1);
    const moves = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0] };
    if (event.key in moves) move(state.row + moves[event.key][0], state.column + moves[event.key][1]);
    else if (event.key === "Home") move(event.ctrlKey ? 0 : state.row, -1);
    else if (event.key === "End") move(event.ctrlKey ? state.rows.length - 1 : state.row, state.columns.length - 1);
    else if (event.key === "Enter" && state.column >= 0) open(state.row, state.column);
    else return;
    event.preventDefault();
  });
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell || cell.tagName === "A") return;
    const [row, column] = cell.dataset.cell.split(":").map(Number);
    move(row, column);
    if (column >= 0) open(row, column);
  });
  grid.addEventListener("mouseover", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) say(...cell.dataset.cell.split(":").map(Number));
  });
  let asked = false;
  const soon = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; draw(); }); } };
  grid.addEventListener("scroll", soon, { passive: true });
  window.addEventListener("resize", apply);
  window.addEventListener("beforeprint", layOut);
  window.addEventListener("afterprint", () => document.getElementById("paper").replaceChildren());
  window.addEventListener("hashchange", () => { fill(); taken.fill(given()); read_on(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { PL.writeHash(addressed()); grid.scrollTop = 0; apply(); read_on(); });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    forget();
    for (const field of form.elements) if (field.name) field.value = "";
    PL.writeHash({});
    taken.fill({});
    read_on();
  });
  const MOST_CELLS = 4000000; /* of a table that a browser can hand over */
  document.getElementById("csv").addEventListener("click", () => {
    const people = state.rows.filter((one) => one.heading === undefined);
    if (people.length * state.columns.length > MOST_CELLS) {
      info.replaceChildren("These are " + PL.number(people.length * state.columns.length) + " cells: narrow the filters, or write all of them with ",
        PL.make("code", {}, 'policylake sql "from access_matrix" --out matrix.csv'));
      return;
    }
    PL.save("matrix.csv", [["principal_arn", "account_id", ...state.columns.map((column) => column.action[0])],
      ...people.map((one) => [one.arn, accountOf(one), ...state.columns.map((column) => PL.WORDS[one.vector[column.place]])])]);
  });
  taken.written(() => PL.writeHash(addressed()));

  /* Read scripts in the order of accounts, a chosen account first; rows stay in order whatever came first. */
  async function read_on() {
    if (reading) return;
    reading = true;
    grid.setAttribute("aria-busy", "true");
    state.paused = false;
    let drawn = -PAUSE;
    try {
      for (let next = nextRun(); next; next = nextRun()) {
        const [place, [key]] = next;
        state.loaded.add(key);
        add(place, key, await PL.load(key));
        if (performance.now() - drawn > PAUSE) { apply(); drawn = performance.now(); }
      }
      apply();
      state.paused = state.people.length < total;
    } catch (error) { PL.failed(error, status); }
    reading = false;
    grid.setAttribute("aria-busy", "false");
    tell();
  }

  function nextRun() {
    const chosen = form.elements.account.value;
    for (let place = 0; place < index.accounts.length; place++) {
      const [id, , scripts] = index.accounts[place];
      if (chosen && (id || "documents") !== chosen) continue;
      for (const run of scripts) {
        if (!state.loaded.has(run[0]) && (chosen || state.people.length < state.wanted)) return [place, run];
      }
    }
    return null;
  }

  function add(place, key, run) {
    const vectors = new Map(); /* spelt out when first looked at */
    const spelt = (number) => {
      if (!vectors.has(number)) vectors.set(number, PL.runs(run.vectors[number]));
      return vectors.get(number);
    };
    let asked = state.reading, again = new Map();
    /* Conditional cells as they are read under what is taken for granted. */
    const told = (number) => {
      if (!state.reading) return spelt(number);
      if (asked !== state.reading) { asked = state.reading; again = new Map(); }
      if (!again.has(number)) {
        const demands = PL.repeats(run.demands[number]);
        let next = 0;
        again.set(number, spelt(number).replace(/c/g, () => state.reading.cellOf(demands[next++])));
      }
      return again.get(number);
    };
    const demand = (number, at) => PL.repeats(run.demands[number])[spelt(number).slice(0, at).split("c").length - 1];
    const account = index.accounts[place][0] || "documents";
    const text = labelOf(place).toLowerCase();
    const people = run.principals.map(([arn, name, type, vector, incomplete]) => ({ arn, name, type: TYPES[type], account, place, key,
      get vector() { return told(vector); }, stored: (at) => spelt(vector)[at], demand: (at) => demand(vector, at), incomplete: Boolean(incomplete), text: arn.toLowerCase() + " " + name.toLowerCase() + " " + text }));
    const last = state.people[state.people.length - 1];
    for (const person of people) state.people.push(person);
    if (last && last.key > key) state.people.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  }

  fill();
  apply();
  await Promise.all([taken.fill(given()), read_on()]);
  restore();
})();
