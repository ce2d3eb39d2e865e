/** Starts the console in its page. */
import './style/tokens.css'
import './style/base.css'
import './style/layout.css'
import './style/ui.css'
import './ui/printable.ts'
import { render } from 'preact'
import { call } from './api/client.ts'
import { isSessionAnswered } from './api/first-answers.ts'
import { sessionBegan } from './api/session.ts'
import { App } from './app.tsx'

const place = document.getElementById('console')
const start = () => place && render(<App />, place)
// With the session, if control has sent it: otherwise the page would be drawn twice.
if (isSessionAnswered)
  void call('readSession')
    .then(sessionBegan, () => undefined)
    .then(start)
else start()
