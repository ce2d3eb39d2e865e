/** The page for an address that the rights of the user exclude: why, and where to go instead. */
import { refusalOf } from '../api/rights.ts'
import { Page } from '../layout/page.tsx'
import { openEntries, type PageEntry } from '../layout/page-entries.ts'
import { PageLink } from '../router/link.tsx'
import { Empty } from '../ui/state.tsx'

export function NotAllowed({ entry: { title, needs } }: { entry: PageEntry }) {
  const open = openEntries()
  return (
    <Page title={title}>
      <section class="card">
        <Empty title="Not allowed">
          {refusalOf(needs)}{' '}
          {open.length === 0 ? (
            'Your rights allow no page of the console: ask an administrator for another role or other limits.'
          ) : (
            <>
              You may use{' '}
              {open.map(({ href, title: name }, index) => (
                <>
                  {index > 0 && ', '}
                  <PageLink href={href}>{name}</PageLink>
                </>
              ))}
              .
            </>
          )}
        </Empty>
      </section>
    </Page>
  )
}
