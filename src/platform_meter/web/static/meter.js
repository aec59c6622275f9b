// The only script, and only a comfort: it loads the page anew each minute while nobody reads a data table in it.
"use strict";
setInterval(() => {
  if (!document.hidden && !document.querySelector("details[open]")) location.reload();
}, 60000);
