/** Lets the command line sign in as the person of this session: on this machine, or on another one by a code. */
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { session } from '../api/session.ts'
import { Page } from '../layout/page.tsx'
import { search } from '../router/location.ts'
import { Card } from '../ui/card.tsx'
import { Field } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import './cli-login.css'

export function CliLogin() {
  const asked = loopbackIn(search.value)
  return (
    <Page title="Command line" about="Sign in the imapfleet command as yourself.">
      {asked ? <OnThisMachine {...asked} /> : <OnAnother />}
    </Page>
  )
}

interface Loopback {
  port: number
  challenge: string
  state: string
}

/** Undefined: the page was not opened by a command line on this machine. */
function loopbackIn(given: URLSearchParams): Loopback | undefined {
  const port = /^\d{4,5}$/.test(given.get('port') ?? '') ? Number(given.get('port')) : 0
  const [challenge, state] = [given.get('challenge') ?? '', given.get('state') ?? '']
  const isSecret = (text: string) => /^[\w-]{43}$/.test(text)
  return port >= 1024 && port <= 65_535 && isSecret(challenge) && isSecret(state)
    ? { port, challenge, state }
    : undefined
}

const name = () => (session.value.state === 'in' ? session.value.who.name : '')

function OnThisMachine({ port, challenge, state }: Loopback) {
  const { isBusy, problem, run } = useAction()
  const allow = async () => {
    const { code } = await call('allowLogin', { body: { challenge } })
    // The parameters choose only the port: the code never leaves this machine.
    location.assign(`http://127.0.0.1:${port}/?${new URLSearchParams({ code, state })}`)
  }
  return (
    <Card title="A command line on this machine asks to sign in">
      <div class="card-body cli-login">
        <p>
          The command line gets your rights, <strong>{name()}</strong>, until your session ends. Continue only
          if you have just run <code>imapfleet login</code> yourself.
        </p>
        {problem !== undefined && <Note tone="bad">{problem}</Note>}
        <div class="row">
          <button type="button" class="button primary" disabled={isBusy} onClick={() => void run(allow)}>
            Sign in the command line
          </button>
        </div>
      </div>
    </Card>
  )
}

function OnAnother() {
  const [code, setCode] = useState('')
  const [isDone, setDone] = useState(false)
  const { isBusy, problem, run } = useAction()
  const allow = async () => {
    await call('allowDeviceLogin', { body: { userCode: code } })
    setDone(true)
  }
  if (isDone)
    return (
      <Card title="The command line is signed in">
        <p class="card-body" role="status">
          The command continues within seconds. You can close this page.
        </p>
      </Card>
    )
  return (
    <Card title="A command line on another machine asks to sign in">
      <form
        class="card-body cli-login"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isBusy && code.trim() !== '') void run(allow)
        }}
      >
        <p>
          The command line gets your rights, <strong>{name()}</strong>, until your session ends. Enter only a
          code that your own terminal shows, never one that you were sent.
        </p>
        <Field
          label="Code"
          value={code}
          onValue={setCode}
          autocomplete="off"
          autofocus
          placeholder="BDFH-KMPR"
          hint="From imapfleet login --device. It is valid for ten minutes."
        />
        {problem !== undefined && <Note tone="bad">{problem}</Note>}
        <div class="row">
          <button type="submit" class="button primary" disabled={isBusy || code.trim() === ''}>
            Sign in the command line
          </button>
        </div>
      </form>
    </Card>
  )
}

/** Runs an action, and keeps the reason if it fails. */
function useAction() {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const run = async (action: () => Promise<void>) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await action()
    } catch (error) {
      setProblem(sentenceOf(error))
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, problem, run }
}
