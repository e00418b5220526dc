#!/bin/bash
# The packages of the Debian 13 folder, which all that runs in it share.
echo gcc make libc6-dev postgresql-17 postgresql-server-dev-17 libmicrohttpd-dev libgnutls28-dev libpq-dev libjansson-dev libcjose-dev libpcre2-dev \
	libidn2-dev zlib1g-dev libzstd-dev libssl-dev libcurl4-openssl-dev libmagic-dev pkg-config libxlsxwriter-dev libarchive-dev libpango1.0-dev libcairo2-dev libicu-dev libexif-dev \
	fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji curl jq nodejs npm git zstd procps ca-certificates
