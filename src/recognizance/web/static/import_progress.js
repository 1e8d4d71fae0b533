// Shows how far an import has come, and loads the page again when it is over. Without it, the reader loads it again.

const bar = document.querySelector("progress[data-progress]");

async function look() {
  const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const told = await answer.json();
  bar.max = told.total;
  bar.value = told.done;
  document.getElementById("done").textContent = String(told.done);
  if (told.is_over) location.reload();
  else setTimeout(look, 1000);
}

if (bar) setTimeout(look, 500);
