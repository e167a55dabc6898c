/**
 * Makes a function that runs `task` at most once at a time: asked while it runs, it runs once more
 * afterwards, however often it was asked. The promise resolves when nothing is left to do.
 */
export function coalesced(task) {
  let running = null;
  let isAskedAgain = false;

  async function run() {
    do {
      isAskedAgain = false;
      await task();
    } while (isAskedAgain);
  }

  return function ask() {
    if (running) isAskedAgain = true;
    else running = run().finally(() => (running = null));
    return running;
  };
}
