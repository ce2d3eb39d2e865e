/** The button below a list that has older entries. */
export const Older = ({ onClick }: { onClick: (() => void) | undefined }) =>
  onClick ? (
    <div class="card-body">
      <button type="button" class="button" onClick={onClick}>
        Show older
      </button>
    </div>
  ) : null
