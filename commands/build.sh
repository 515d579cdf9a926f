#!/bin/sh
# Builds the application's image. BUILD: how, as JSON; and what it names as secrets' variables
exec node --import tsx commands/parts/build.ts
