/** Waits for a frame, for what is not needed in it: the browser, and often control, have work enough until then. */

/** Resolves after the frame with what is in the page now. In a tab that is not shown there is no such frame. */
export const nextFrame = (): Promise<void> =>
  new Promise((done) => {
    if (document.hidden) return done()
    document.addEventListener('visibilitychange', () => done(), { once: true })
    // A callback runs before the frame, the callback in it before the next one.
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))
  })
