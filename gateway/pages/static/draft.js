// The unsent form of a new assessment, in this browser's own database: one at a time, and of one account.
const NAME = "trabecula", STORE = "drafts", KEY = "new";

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => { database.close(); resolve(request.result); };
      transaction.onabort = () => { database.close(); reject(transaction.error); };
    };
  });
}

// A draft: {account, fields: [[name, value]], image: File or null, key: its idempotency key, waiting: to be sent}.
export const keep = (draft) => store("readwrite", (drafts) => drafts.put(draft, KEY)).catch(() => {});
export const kept = () => store("readonly", (drafts) => drafts.get(KEY)).catch(() => undefined);
export const forget = () => store("readwrite", (drafts) => drafts.delete(KEY)).catch(() => {});

// Whoever signs in next on a shared computer does not see what somebody else has typed.
export async function forgetOthers(account) {
  const draft = await kept();
  if (draft && draft.account && draft.account !== account) await forget();
}
