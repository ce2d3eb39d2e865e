/** Who and what may use control and NATS: tokens, people, and the credentials of edges. */
import { Page } from '../layout/page.tsx'
import { EnrolmentsCard } from './access-enrolments.tsx'
import { PeopleCard } from './access-people.tsx'
import { TokensCard } from './access-tokens.tsx'
import './access.css'

export const Access = () => (
  <Page
    title="Access"
    about="Tokens for programs, people who signed in, and the credentials of edges for NATS."
  >
    <TokensCard />
    <PeopleCard />
    <EnrolmentsCard />
  </Page>
)
