"use strict";
/* The page of one document, named by the address: #policy, and :statement to mark one. */
(() => {
  const main = document.getElementById("policy");
  const { make } = PL;

  async function show() {
    const [id, statement] = PL.decoded(location.hash.slice(1)).split(":");
    try {
      const found = await PL.policy(id);
      if (!found) {
        main.replaceChildren(make("h1", {}, "No such policy"), make("p", {}, make("code", {}, id), " is not in this report."));
        return;
      }
      const [document_, names, count, places, sources] = found;
      document.title = PL.visible(names[0] || "Policy") + " · policylake";
      const marked = new Set(statement === undefined ? [] : [Number(statement)]);
      main.replaceChildren(
        make("h1", {}, make("bdi", {}, names[0] || "Policy")),
        make("dl", { class: "facts" },
          names.length > 1 ? [make("dt", {}, "Other names"), make("dd", {}, names.slice(1).join(", "))] : [],
          make("dt", {}, "Id"), make("dd", {}, make("code", {}, id)),
          make("dt", {}, "Read from"), make("dd", {}, sources.map((source) => make("div", {}, make("code", {}, source))))),
        make("section", { "aria-labelledby": "statements" }, make("h2", { id: "statements" }, "Statements"), ...PL.statements(document_, marked, id)),
        make("section", { "aria-labelledby": "places" }, make("h2", { id: "places" }, "Attached to ", make("span", { class: "minor" }, PL.number(count))),
          make("ul", { class: "places" }, places.map(([kind, target]) => make("li", {}, make("span", { class: "minor" }, kind + " "),
            ["inline", "managed", "boundary"].includes(kind) && !target.includes(":group/") ? PL.principalLink(target, target) : make("code", {}, target)))),
          count > places.length ? make("p", { class: "minor" }, PL.number(count - places.length) + " more in the relation attachments of the lake.") : ""));
      const target = main.querySelector(".marked");
      if (target) target.scrollIntoView({ block: "center" });
    } catch (error) { PL.failed(error, main); }
  }

  window.addEventListener("hashchange", show);
  show();
})();
