/** The page for an address that the rights of the user exclude: why, and where to go instead. */
import { refusalOf } from '../api/rights.ts'
import { Page } from '../layout/page.tsx'
import { openEntries, type PageEntry } from '../layout/page-entries.ts'
import { PageLink } from '../router/link.tsx'
import { Empty } from '../ui/state.tsx'

export const NotAllowed = ({ entry: { title, needs } }: { entry: PageEntry }) => (
  <Page title={title}>
    <section class="card">
      <Empty title="Not allowed">
        {refusalOf(needs)} You may use{' '}
        {openEntries().map(({ href, title: name }, index) => (
          <>
            {index > 0 && ', '}
            <PageLink href={href}>{name}</PageLink>
          </>
        ))}
        .
      </Empty>
    </section>
  </Page>
)
