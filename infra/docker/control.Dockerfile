# The control plane, with the console. `npm run images` writes its root file system, as for the edge. Then, from the top of the
# repository: docker build -f infra/docker/control.Dockerfile -t imapfleet-control:0.1.0 .
# It reads its settings from the environment: docker run imapfleet-control:0.1.0 --help lists them. It writes no files.
FROM scratch
COPY dist/images/control/ /
USER 1000:1000
ENV PATH=/usr/bin
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["/usr/lib/imapfleet/control/node", "--eval", "fetch('http://127.0.0.1:8080/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/lib/imapfleet/control/node", "/usr/lib/imapfleet/control/imapfleet-control.mjs"]
CMD ["all", "--host", "0.0.0.0", "--port", "8080"]
