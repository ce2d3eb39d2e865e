/** Signing in, through the provider or with a token. It appears at any address, and the page of the address follows. */
import { useEffect, useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { sessionBegan } from '../api/session.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Brand } from '../layout/icon.tsx'
import { Field } from '../ui/field.tsx'
import './sign-in.css'

export function SignIn({ reason }: { reason: string | undefined }) {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const ways = useAnswer('sign-in ways', async (signal) => await call('readSignInWays', { signal }))
  const provider = ways.data?.provider
  useEffect(() => {
    document.title = 'Sign in · imapfleet'
  }, [])

  const signIn = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      sessionBegan(await call('signIn', { body: { token: token.trim() } }))
    } catch (error) {
      setProblem(sentenceOf(error))
      setBusy(false)
    }
  }

  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isBusy && token.trim() !== '') void signIn()
        }}
      >
        <div class="brand">
          <Brand />
          imapfleet
        </div>
        <h1>Sign in</h1>
        {reason !== undefined && problem === undefined && (
          <p class="note warn" role="status">
            {reason}
          </p>
        )}
        {problem !== undefined && (
          <p class="note bad" role="alert">
            {problem}
          </p>
        )}
        {provider && (
          <>
            <a class="button primary" href={`${provider.url}?${new URLSearchParams({ to: here() })}`}>
              Sign in with {provider.label}
            </a>
            <p class="soft small or">or with a token</p>
          </>
        )}
        <Field
          label="Token"
          type="password"
          value={token}
          onValue={setToken}
          autocomplete="current-password"
          autofocus={!provider}
          placeholder="imapfleet_…"
          hint="The browser exchanges the token for a session of twelve hours and does not store it."
        />
        <button
          type="submit"
          class={provider ? 'button' : 'button primary'}
          disabled={isBusy || token.trim() === ''}
        >
          {isBusy ? 'Signing in …' : 'Sign in'}
        </button>
        {!provider && (
          <p class="soft small">
            No token yet? Run this on the host of control:
            <code>imapfleet-control token create --name me --role admin</code>
          </p>
        )}
        <p class="small">
          <a href="/docs">API reference</a>
        </p>
      </form>
    </main>
  )
}

/** The page that signing in returns to. */
const here = () => location.pathname + location.search
