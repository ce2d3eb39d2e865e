# One edge. From the top of the repository: docker build -f infra/docker/edge.Dockerfile -t imapfleet-edge .
# Mount its configuration at /etc/imapfleet/edge.yaml. It stores the last configuration from the fleet in /var/lib/imapfleet.
FROM node:26-slim
WORKDIR /opt/imapfleet
COPY package.json package-lock.json ./
COPY packages packages
COPY apps/edge-proxy apps/edge-proxy
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace @imapfleet/edge-proxy \
 && npm cache clean --force \
 && mkdir -p /var/lib/imapfleet && chown node:node /var/lib/imapfleet
USER node
EXPOSE 1143 9143
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:9143/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "apps/edge-proxy/src/main.ts"]
CMD ["--config", "/etc/imapfleet/edge.yaml"]
