# One edge. `npm run images` writes its root file system: the bundle, the pinned Node and the libraries of Debian that it needs, without
# a shell. Then, from the top of the repository: docker build -f infra/docker/edge.Dockerfile -t imapfleet-edge:0.1.0 .
# Mount its configuration at /etc/imapfleet/edge.yaml. It writes to /var/lib/imapfleet only: docker run --read-only works.
FROM scratch
COPY dist/images/edge/ /
COPY --chown=1000:1000 dist/images/state/ /var/lib/imapfleet/
USER 1000:1000
ENV PATH=/usr/bin MALLOC_ARENA_MAX=1
VOLUME ["/var/lib/imapfleet"]
EXPOSE 1143 9143
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["/usr/lib/imapfleet/edge/node", "--eval", "fetch('http://127.0.0.1:9143/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/lib/imapfleet/edge/node", "--max-semi-space-size=4", "--heap-growing-percent=20", "--no-maglev", "/usr/lib/imapfleet/edge/imapfleet-edge.mjs"]
CMD ["--config", "/etc/imapfleet/edge.yaml"]
