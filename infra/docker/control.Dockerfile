# The control plane. From the top of the repository: docker build -f infra/docker/control.Dockerfile -t imapfleet-control .
# It reads its settings from the environment: docker run imapfleet-control --help lists them.
FROM node:26-slim AS console
WORKDIR /build
COPY package.json package-lock.json tsconfig.base.json ./
COPY packages packages
COPY apps/console apps/console
RUN npm ci --ignore-scripts --workspace @imapfleet/console \
 && node apps/console/build.ts

FROM node:26-slim
WORKDIR /opt/imapfleet
COPY package.json package-lock.json ./
COPY packages packages
COPY apps/control apps/control
COPY --from=console /build/apps/console/dist apps/console/dist
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace @imapfleet/control \
 && npm cache clean --force
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "apps/control/src/main.ts"]
CMD ["all", "--host", "0.0.0.0", "--port", "8080"]
