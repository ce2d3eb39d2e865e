/** Shows the page of the address to a signed-in user, and the sign-in form to everyone else. */
import { call } from './api/client.ts'
import { useAnswer } from './api/use-answer.ts'
import { session, sessionBegan } from './api/session.ts'
import { Layout } from './layout/layout.tsx'
import { NotFound } from './pages/not-found.tsx'
import { pages } from './pages/index.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { path } from './router/location.ts'
import { match } from './router/match.ts'
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
  if (current.state === 'unknown') return <Greeting />
  if (current.state === 'out') return <SignIn reason={current.reason} />
  return (
    <Layout who={current.who}>
      <CurrentPage />
    </Layout>
  )
}

/** Requests the session until control answers. */
function Greeting() {
  const { problem, reload } = useAnswer('session', async (signal) =>
    sessionBegan(await call('readSession', { signal })),
  )
  return problem ? <Failed problem={problem} onRetry={reload} /> : <Loading />
}

function CurrentPage() {
  for (const { path: pattern, Page } of pages) {
    const params = match(pattern, path.value)
    if (params) return <Page key={JSON.stringify([pattern, params])} {...params} />
  }
  return <NotFound />
}
