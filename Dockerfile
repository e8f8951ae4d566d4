# The image of the action: one static binary, the certificate authorities, and one line for git.
#
#   docker build .                      compiles the binary in a container
#   docker build --target prebuilt .    takes it, and the certificates, from dist/

# What both have in common.
FROM scratch AS common
COPY docker/gitconfig /etc/gitconfig
# Nobody is told that a release is being made.
ENV DO_NOT_TRACK=1 HF_HUB_DISABLE_TELEMETRY=1 HF_XET_TELEMETRY_ENABLED=0
# Where temporary files go, unless the runner says otherwise.
WORKDIR /tmp
WORKDIR /
ENTRYPOINT ["/weighbridge"]

# Before `build`, because builders without BuildKit make every stage up to the one that is asked for.
FROM common AS prebuilt
COPY dist/ca-certificates.crt /etc/ssl/certs/
COPY dist/weighbridge /

FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates musl-tools \
 && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /source
COPY . .
RUN cargo build --locked --release --bin weighbridge --target x86_64-unknown-linux-musl

FROM common
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /source/target/x86_64-unknown-linux-musl/release/weighbridge /
