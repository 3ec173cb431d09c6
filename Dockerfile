# syntax=docker/dockerfile:1
# The binary with its pages and the load harness, linked statically, and nothing else: no
# shell, no package manager, no C library; some 55 MB. Runs as a user without a name or a
# home, on a root that may be read-only.

FROM node:22-bookworm-slim AS pages
WORKDIR /src/services/web
COPY services/web/package.json services/web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY services/web ./
RUN npm run build

# musl's linker, the target, and two tools: one builds dependencies by themselves, so that
# they are built again only when Cargo.lock changes; the other writes into the binary what
# it was built from, for scanners (`cargo audit bin`, Trivy, Grype read it).
FROM rust:1.95-bookworm AS rust
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN cargo install --locked cargo-chef@0.1.78 cargo-auditable@0.7.7 cargo-cyclonedx@0.5.9
WORKDIR /src
COPY rust-toolchain.toml ./
RUN rustup target add "$(uname -m)-unknown-linux-musl"

FROM rust AS recipe
COPY . .
RUN cargo chef prepare --recipe-path /recipe.json

FROM rust AS build
COPY --from=recipe /recipe.json /recipe.json
RUN cargo chef cook --profile dist --locked --target "$(uname -m)-unknown-linux-musl" \
      --recipe-path /recipe.json
COPY . .
COPY --from=pages /src/services/web/dist services/web/dist
RUN target="$(uname -m)-unknown-linux-musl" \
 && cargo auditable build --profile dist --locked --target "$target" -p frontdesk-node -p frontdesk-loadtest \
 && cargo cyclonedx --format json --target "$target" --manifest-path services/node/Cargo.toml --override-filename frontdesk.cdx \
 && mkdir -p /out/usr/local/bin /out/usr/share/doc/frontdesk /out/etc/ssl/certs /out/etc/frontdesk /out/data \
 && for program in frontdesk frontdesk-loadtest; do \
      strip --strip-debug -o "/out/usr/local/bin/$program" "target/$target/dist/$program" || exit 1; done \
 && cp services/node/frontdesk.cdx.json LICENSE /out/usr/share/doc/frontdesk/ \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && printf 'frontdesk:x:65532:65532::/:/sbin/nologin\n' > /out/etc/passwd \
 && printf 'frontdesk:x:65532:\n' > /out/etc/group \
 && printf '# Yours goes here; or set FRONTDESK_… variables.\n' > /out/etc/frontdesk/cluster.toml \
 && chown 65532:65532 /out/data

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="frontdesk" \
      org.opencontainers.image.description="A live-chat cluster for customer support" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out /
COPY loadtest/scenarios /usr/share/frontdesk/scenarios
ENV PATH=/usr/local/bin \
    FRONTDESK_CONFIG=/etc/frontdesk/cluster.toml
USER 65532:65532
ENTRYPOINT ["frontdesk"]
