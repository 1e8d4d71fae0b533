// Passkeys in the reader's browser: shows the forms that need one, asks the browser, and sends what it answers.
//
// What the browser is asked for comes with the page, and its answer goes with an ordinary form, so that everything else
// (the token against forged forms, the way back, what is said when it fails) is as for any other form. Nothing is kept.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const named = (credentials = []) => credentials.map((each) => ({ ...each, id: bytes(each.id) }));

/** Ask the browser to make a passkey; what it answers, as the specification's RegistrationResponseJSON. */
async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  return {
    ...common(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    },
  };
}

/** Ask the browser to use one; what it answers, as the specification's AuthenticationResponseJSON. */
async function get(options) {
  const used = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const answer = {
    clientDataJSON: text(used.response.clientDataJSON),
    authenticatorData: text(used.response.authenticatorData),
    signature: text(used.response.signature),
  };
  if (used.response.userHandle) answer.userHandle = text(used.response.userHandle);
  return { ...common(used), response: answer };
}

const common = (credential) => ({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  clientExtensionResults: {},
});

const ceremonies = { create, get };

function prepare(form) {
  const outcome = form.querySelector(".passkey-outcome");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    outcome.textContent = outcome.dataset.working;
    try {
      const answer = await ceremonies[form.dataset.passkey](JSON.parse(form.dataset.options));
      form.elements.answer.value = JSON.stringify(answer);
      form.submit();
    } catch {
      // Given up, timed out, or no passkey for this site: browsers say the same of all three, on purpose.
      outcome.textContent = outcome.dataset.failed;
      button.disabled = false;
      button.focus();
    }
  });
}

if (window.isSecureContext && window.PublicKeyCredential) {
  document.querySelectorAll("form[data-passkey]").forEach(prepare);
} else {
  document.querySelectorAll(".passkey-missing").forEach((each) => {
    each.hidden = false;
  });
}
