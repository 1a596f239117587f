// What is wrong with a field is told with the field to those who hear the page, and the first such field has the focus.
(function () {
  "use strict";
  var fields = "input:not([type=hidden]), select, textarea", first = null;
  document.querySelectorAll("main .field-problem").forEach(function (problem, i) {
    var field = problem.id && document.querySelector('[aria-describedby~="' + problem.id + '"]');
    var before = problem.previousElementSibling, around = problem.closest(".field, fieldset, form");
    if (!field && before) field = before.matches(fields) ? before : before.querySelector(fields);
    if (!field && around) field = around.querySelector(fields);
    if (!field) return;
    if (!problem.id) {
      problem.id = "problem-" + i;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", ((field.getAttribute("aria-describedby") || "") + " " + problem.id).trim());
    }
    first = first || field;
  });
  if (first) first.focus();
})();

// A problem of the policy leads to its line in the text. Without a script the line is quoted beside the problem.
(function () {
  "use strict";
  var source = document.getElementById("source");
  if (!source) return;
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[data-line]") : null;
    if (!link) return;
    event.preventDefault();
    var lines = source.value.split("\n");
    var line = Math.min(Number(link.dataset.line), lines.length);
    var from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    source.focus();
    source.setSelectionRange(from, from + lines[line - 1].length);
    source.scrollTop = source.scrollHeight / lines.length * Math.max(line - 4, 0);
  });
})();
