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
