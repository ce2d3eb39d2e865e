/** Waits for a frame, for what is not needed in it: the browser, and often control, have work enough until then. */

/** Browsers draw no frames of a tab that cannot be seen, and do not always say that it cannot. */
const longestMs = 1_000

/** Resolves after the frame with what is in the page now. */
export const nextFrame = (): Promise<void> =>
  new Promise((done) => {
    if (document.hidden) return done()
    setTimeout(done, longestMs)
    // A callback runs before the frame, the callback in it before the next one.
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))
  })
