/**
 * What a page does not begin with waits until its first figures are drawn: the browser, and often control, have work enough
 * until then.
 */

/** Resolves after the frame with the answers that are drawn now. In a tab that is not shown there is no such frame. */
export const nextFrame = (): Promise<void> =>
  new Promise((done) => {
    if (document.hidden) return done()
    document.addEventListener('visibilitychange', () => done(), { once: true })
    // A callback runs before the frame of the answers, the callback in it before the next one.
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))
  })
