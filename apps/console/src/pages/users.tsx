/** Users: their connections, kicks and revocations. */
import { useEffect, useState } from 'preact/hooks'
import { Page } from '../layout/page.tsx'
import { choose, search } from '../router/location.ts'
import { Card } from '../ui/card.tsx'
import { Field } from '../ui/field.tsx'
import { Empty } from '../ui/state.tsx'
import { Revocations } from './revocations.tsx'
import { UserConnections } from './user-connections.tsx'
import './users.css'

export function Users() {
  const user = search.value.get('user') ?? ''
  const everybody = search.value.has('everybody')
  const [typed, setTyped] = useState(user)
  useEffect(() => setTyped(user), [user])
  return (
    <Page title="Users" about="Asks every edge now. Control stores nothing about users.">
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim() !== '') choose({ user: typed.trim(), everybody: '', q: '', sort: '' })
        }}
      >
        <Field
          label="Login name"
          value={typed}
          onValue={setTyped}
          placeholder="alice@example.org"
          autocomplete="off"
          isSearch={!everybody}
        />
        <button type="submit" class="button primary">
          Find
        </button>
        <button type="button" class="button" onClick={() => choose({ user: '', everybody: '1' })}>
          All users
        </button>
      </form>
      {user !== '' || everybody ? (
        <UserConnections key={user} user={user === '' ? undefined : user} />
      ) : (
        <Card title="Connections">
          <Empty title="No search yet">
            {' '}
            Enter a login name as the mail client sends it, or list all users.
          </Empty>
        </Card>
      )}
      <Revocations />
    </Page>
  )
}
