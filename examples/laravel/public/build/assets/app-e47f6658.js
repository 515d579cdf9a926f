const health = document.getElementById("health");
if (health !== null) {
  fetch(health.dataset.url)
    .then((response) => response.json())
    .then(({ database, redis }) => { health.textContent = `database ${database}, redis ${redis}`; })
    .catch(() => { health.textContent = "no answer"; });
}
