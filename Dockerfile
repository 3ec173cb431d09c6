# The binary with its pages, and nothing else that runs.
FROM rust:1.95-bookworm AS build
RUN curl -fsSL https://deb.nodesource.com/setup_22.x | bash - && apt-get install -y --no-install-recommends nodejs
WORKDIR /src
COPY . .
RUN make pages && cargo build --profile dist --locked -p frontdesk-node

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 frontdesk && mkdir /data && chown frontdesk /data
COPY --from=build /src/target/dist/frontdesk /usr/local/bin/frontdesk
USER frontdesk
ENV FRONTDESK_CONFIG=/etc/frontdesk/cluster.toml
ENTRYPOINT ["frontdesk"]
