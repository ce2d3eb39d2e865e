/**
 * Shows the page of the address to a signed-in user, and the sign-in form to everyone else. While control is asked who the user
 * is, the page is already there and asks for its data, but cannot be seen: data that follows the session would come later.
 */
import { matchPath } from '@imapfleet/api'
import { call } from './api/client.ts'
import { useAnswer } from './api/use-answer.ts'
import { mayCall } from './api/rights.ts'
import { session, sessionBegan } from './api/session.ts'
import { Layout } from './layout/layout.tsx'
import { entryOf } from './layout/page-entries.ts'
import { NotAllowed } from './pages/not-allowed.tsx'
import { NotFound } from './pages/not-found.tsx'
import { pages } from './pages/index.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { path } from './router/location.ts'
import { Failed, Loading } from './ui/state.tsx'
import { Toasts } from './ui/toast.tsx'

export const App = () => (
  <>
    <Gate />
    <Toasts />
  </>
)

function Gate() {
  const current = session.value
  if (current.state === 'out') return <SignIn reason={current.reason} />
  return (
    <>
      {current.state === 'unknown' && <Greeting />}
      <Layout who={current.state === 'in' ? current.who : undefined}>
        <CurrentPage />
      </Layout>
    </>
  )
}

/** Requests the session until control answers. */
function Greeting() {
  const { problem, reload } = useAnswer('session', async (signal) =>
    sessionBegan(await call('readSession', { signal })),
  )
  return <div class="greeting">{problem ? <Failed problem={problem} onRetry={reload} /> : <Loading />}</div>
}

function CurrentPage() {
  const entry = entryOf(path.value)
  if (entry && !mayCall(entry.needs)) return <NotAllowed entry={entry} />
  for (const { path: pattern, Page } of pages) {
    const params = matchPath(pattern, path.value)
    if (params) return <Page key={JSON.stringify([pattern, params])} {...params} />
  }
  return <NotFound />
}
