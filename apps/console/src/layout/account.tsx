/** The signed-in user, the choices of colours and of the time zone, and signing out. */
import { limitsText, type ConsoleSession } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { sessionLeft } from '../api/session.ts'
import { Choice } from '../ui/choice.tsx'
import { tell } from '../ui/toast.tsx'
import { theme, themes } from './theme.ts'
import { chooseZone, chosenZone, localZone, zones } from './zone.ts'

export const AccountMenu = ({ who }: { who: ConsoleSession }) => (
  <div class="account">
    <div class="who">
      <strong>{who.name}</strong>
      <span>{[who.role, limitsText(who.limits)].filter((text) => text !== '').join(', ')}</span>
    </div>
    <Choice label="Colours" values={themes} chosen={theme.value} onChoice={(name) => (theme.value = name)} />
    <div class="zone">
      <Choice label="Time zone" values={zones} chosen={chosenZone()} onChoice={chooseZone} />
      <p class="soft">
        Times are in {chosenZone() === 'UTC' ? 'UTC' : `local time${inBrackets(localZone.value)}`}.
      </p>
    </div>
    <button type="button" class="button small" onClick={() => void signOut()}>
      Sign out
    </button>
  </div>
)

/** The zone is found after the page is drawn: the words before it stay. */
const inBrackets = (zone: string) => (zone === '' ? '' : ` (${zone})`)

async function signOut(): Promise<void> {
  try {
    await call('signOut')
    sessionLeft()
  } catch (error) {
    tell('bad', `You are still signed in: ${sentenceOf(error)}`)
  }
}
