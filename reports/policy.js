"use strict";
/* The page of one document, named by the address: #policy, and :statement to mark one. */
(() => {
  const main = document.getElementById("policy");
  const { make } = PL;
  const KINDS = { inline: "inline policy", managed: "managed policy", boundary: "permissions boundary", scp: "SCP", rcp: "RCP", trust: "trust policy", resource: "resource policy", endpoint: "endpoint policy" };
  const isDocument = (target) => !target.startsWith("arn:");
  const isPrincipal = (target) => isDocument(target) || /^arn:[^:]*:iam::[^:]*:(user|role)\//.test(target);

  /* What a document is called: by its name, or, where it has none, by what it is attached to. */
  function titleOf(names, places) {
    if (names[0] || !places.length) return names[0] || "Policy";
    const [kind, target] = places[0];
    const title = KINDS[kind] + " of " + (kind === "trust" ? "role " + target.replace(/^.*\//, "") : target.split(":").slice(5).join(":"));
    return title[0].toUpperCase() + title.slice(1);
  }

  const lines = (listed, things) => PL.few(listed, 8, (some) => some.map((one) => make("div", {}, one)), things).flat();

  /* Attachments by kind, in the order in which they come. */
  function attached(places) {
    const kinds = new Map();
    for (const [kind, target] of places) {
      const words = isDocument(target) ? "given by itself" : KINDS[kind];
      kinds.set(words, [...(kinds.get(words) || []), target]);
    }
    return make("dl", { class: "facts" }, [...kinds].flatMap(([words, targets]) => [make("dt", {}, words), make("dd", {}, lines(targets.map((target) => (isPrincipal(target) ? PL.principalLink(target, PL.code(target)) : PL.code(target))), "places"))]));
  }

  async function show() {
    const [id, statement] = PL.decoded(location.hash.slice(1)).split(":");
    try {
      const found = await PL.policy(id);
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such policy"), make("p", {}, make("code", {}, id), " is not in this report."));
        return;
      }
      const [document_, names, count, places, sources] = found;
      const title = titleOf(names, places);
      document.title = PL.visible(title) + " · policylake";
      const marked = new Set(statement === undefined ? [] : [Number(statement)]);
      main.replaceChildren(
        make("h1", {}, make("bdi", {}, PL.breakable(title))),
        make("dl", { class: "facts" },
          names.length > 1 ? [make("dt", {}, "Other names"), make("dd", {}, names.slice(1).join(", "))] : [],
          make("dt", {}, "Id"), make("dd", {}, make("code", {}, id)),
          make("dt", {}, "Read from"), make("dd", {}, lines(sources.map(PL.code), "files"))),
        make("section", { "aria-labelledby": "places" }, make("h2", { id: "places" }, "Attached to ", make("span", { class: "minor" }, PL.number(count))), attached(places),
          count > places.length ? make("p", { class: "minor" }, PL.number(count - places.length) + " more in the relation attachments of the lake.") : ""),
        make("section", { "aria-labelledby": "statements" }, make("h2", { id: "statements" }, "Statements"), ...PL.statements(document_, marked, id)));
      const target = main.querySelector(".marked");
      if (target) target.scrollIntoView({ block: "center" });
    } catch (error) { PL.failed(error, main); }
  }

  window.addEventListener("hashchange", show);
  show();
})();
