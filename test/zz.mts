import { phpImage, laravelImage } from "./support/debian.ts";
import { imageTags } from "../cli/setup/images.ts";
const ten = await laravelImage("trixie");
console.log(await phpImage("trixie", ten, "laravel10"));
console.log(await phpImage("trixie", imageTags().php, "laravel13"));
console.log(await phpImage("bookworm", ten, "laravel10"));
