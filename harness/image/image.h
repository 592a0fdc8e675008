/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_IMAGE_H
#define UB_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/slice.h"
#include "image/limits.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
	COMPRESSION_BZIP2,
	COMPRESSION_LZIP
};
/* As `guix pack -C' names it: "none", "gzip", ... */
const char *compression_name(enum compression c);

enum tree_type {
	TREE_DIR,
	TREE_FILE,
	TREE_LINK,
	TREE_CHAR,
	TREE_BLOCK,
	TREE_FIFO
};
/* "directory", "file", "symbolic link", ... */
const char *tree_type_name(enum tree_type t);

/* One path of the merged file system. */
struct tree_entry {
	const char *path;          /* path_normalise'd bytes; "" is the root */
	const char *link;          /* target of a symbolic link, else NULL */
	const char *xattrs;        /* "name=HEX\n..." sorted, NULL when none */
	const char *uname, *gname; /* as recorded, "" when not; interned */
	struct slice data; /* contents of a kept file; p NULL when not kept */
	struct digest sha256; /* files: of the contents */
	uint64_t size;        /* files: bytes */
	int64_t mtime;        /* seconds since 1970 */
	uint32_t mtime_ns;
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	uint32_t dev_major, dev_minor; /* devices */
	uint32_t seq;      /* place among the members of the image's archives */
	uint16_t layer;    /* index of the layer it comes from */
	uint8_t type;      /* enum tree_type */
	bool is_hard_link; /* recorded as a link to another path */
};

/* All paths, sorted by their bytes; the memory is the image's. */
struct tree {
	struct tree_entry *v;
	size_t n;
};
/* NULL when there is none.  path without leading "/". */
const struct tree_entry *tree_find(const struct tree *t, const char *path);
/* Index of the first entry whose path is not before path. */
size_t tree_lower(const struct tree *t, const char *path);
/*
 * Follow the symbolic links of path, final one included, inside the tree
 * (absolute targets from its root), at most 40; NULL when it leads nowhere.
 */
const struct tree_entry *tree_resolve(const struct tree *t, const char *path);

/* A store item: a name below gnu/store and all that is under it. */
struct store_item {
	const char *name; /* "HASH-NAME", without the folder */
	/* its entries in the tree; those of "a-b" may stand among those of "a" */
	size_t begin, end;
	struct digest digest; /* over its entries' relative path, type, mode,
			       * link target, size and sha256, in path order */
	uint64_t bytes;       /* of its files */
};

struct layer {
	const char *name;      /* member of the archive that it is */
	struct digest diff_id; /* of the tar as it was decompressed here */
	struct digest claimed; /* what the config says */
	bool has_claim;
	enum compression compression;
	uint64_t size;    /* of the tar, decompressed */
	uint64_t entries; /* members of the tar */
	/* provenance alone was wanted, and found without it: nothing of the
	 * above is known but name and claimed, and the tree lacks it */
	bool is_unread;
	/* the same, but the first members of it were read, to the manifest */
	bool is_cut;
	/* over the names of the tar's members, normalised and NUL-ended, in
	 * their order: where it is equal and diff_id is not, headers or
	 * contents differ */
	struct digest order;
};

/* A member of the outer archive, in its order. */
struct member {
	const char *name; /* as stored */
	uint64_t size;
	struct digest sha256;
	bool is_layer, is_config, is_manifest;
};

/*
 * Something that a package says beside its tree: of a deb, "debian-binary" and
 * each file of the control archive ("control", "postinst", ...) and its mode
 * ("postinst mode"); of an rpm, each tag of the header that does not follow
 * from the payload ("arch", "prein", ..., "tag 1234"); of an AppImage, the
 * "runtime" before the file system.
 */
struct attribute {
	const char *name;
	struct slice value; /* its first 4096 bytes, NUL-ended */
	uint64_t size;      /* of all of it */
	struct digest sha256;
};

/* What an ELF file is for (elf.h): e_machine, 0 for none. */
struct machine {
	uint16_t code;
	bool is_64, is_big_endian;
};

/* What is in an image.  Read by image_read, ended by image_free. */
struct image {
	/* "docker-archive", "oci-archive", "oci", "dir", "rootfs", "tarball",
	 * "squashfs", "deb", "rpm", "appimage" */
	const char *format;
	const char *path; /* the file, or folder */
	/* what it is called: the same, or where it was fetched from */
	const char *source;
	/* Of the file.  Of a layout ("oci", "dir") that of the manifest, which
	 * is what registries and skopeo know the image by; of a folder of files
	 * one over all its entries, their metadata and contents. */
	struct digest sha256;
	/* Of the file; of a layout the sum of manifest, config and layers, of a
	 * folder that of its files. */
	uint64_t size;
	/* of the whole file; of data.tar, of the payload, of the file system */
	enum compression compression;

	/* Docker: the raw bytes of the config, and their digest.  Otherwise p
	 * NULL; the digest is that of a deb's control.tar (decompressed), or of
	 * an rpm's header but what depends on its compression; else zeros. */
	struct slice config;
	struct digest config_digest;
	struct jdoc *config_doc; /* the same, read */
	const char *config_name; /* member that it is */
	/* "NAME:TAG" of manifest.json; what the index of a layout names it */
	const char *const *repo_tags;
	size_t n_repo_tags;
	/* Layouts, archives of them: "oci" or "docker"; else NULL and zeros. */
	const char *manifest_kind;
	struct digest manifest_digest;

	const struct attribute *attributes;
	size_t n_attributes;

	/*
	 * Lowest first.  All but Docker images have one: the tar, data.tar, the
	 * cpio of the payload, decompressed; the file system as it is.
	 */
	struct layer *layers;
	size_t n_layers;
	/* Docker images: so many of the first layers look as guix pack makes
	 * them, and those after were added; 0: not even the first does. */
	size_t n_guix_layers;
	struct member *members;
	size_t n_members;
	struct tree tree;         /* layers merged, whiteouts applied */
	struct store_item *items; /* by name */
	size_t n_items;
	struct machine machine;     /* of most ELF files in the store */
	struct image_limits limits; /* that it was read within */

	struct arena arena; /* owns all of the above but config_doc, tree.v */
};

struct place;    /* fetch/fetch.h */
struct platform; /* fetch/manifest.h */

/* How to read an image. */
struct image_options {
	const struct image_limits *limits;
	/* of an image for several; NULL: manifest_choose's default */
	const struct platform *platform;
};

/*
 * Read the image that is at a place on this machine:
 * - docker-archive: what docker save, podman save, skopeo and guix pack make
 *   (moby image spec 1.2 "combined image JSON + file system changeset";
 *   guix/docker.scm), in whatever compression, members in any order, with or
 *   without "./", layers compressed or not; ref is a NAME[:TAG] or "@N" of
 *   several, counted from 0;
 * - oci, oci-archive: an OCI image layout (image-spec, image-layout.md), a
 *   folder or a tar; ref is a name of the index or "@sha256:HEX" of a manifest;
 * - dir: skopeo's dir: (containers-transports(5));
 * - rootfs: the tar of a file system, or a folder of files: whiteouts mean
 *   nothing there, and in a folder no link is followed;
 * - pack: what its contents say: one of those, or what `guix pack' makes
 *   (guix/scripts/pack.scm): a tar with a gnu/store in it, a SquashFS 4.0 file
 *   system, alone or behind the program of an AppImage; a Debian package
 *   (deb(5)); an RPM package with a cpio payload.
 * Files are read in passing; of a layer nothing stays in memory but the tree,
 * and the contents of files that may be profile manifests
 * (gnu/store/ITEM/manifest).
 *
 * ERR_INPUT  malformed, truncated, not an image, a blob that is not what its
 *            digest says, a diffID that is not that of the layer, a path that
 *            leaves the tree, several images and none named
 * ERR_POLICY over one of the limits
 * ERR_ABSENT no such file, or no such image in it
 */
int
image_read_place(const struct place *place, const struct image_options *options,
	struct image **out, struct err *e) NODISCARD;
/* The file or folder path, as pack: */
int image_read(const char *path, const struct image_limits *limits,
	struct image **out, struct err *e) NODISCARD;
/* Take over a place that the image was read from, so that what is there stays
 * until image_free; image_extract reads it again. */
void image_hold(struct image *image, struct place *place);
void image_free(struct image *image);
/* CLEANUP(own_image) struct image *image = NULL; */
void own_image(struct image **image);

/*
 * Second pass: write the contents of some files of the tree to folder/0,
 * folder/1, ... in the order of paths (normalised; NULL ones are skipped).
 * Files of more than cap bytes and paths that are no files are left out; files
 * of the same contents may be links to one another.  Nothing that is in folder
 * is written over.
 */
int image_extract(const struct image *image, const struct image_limits *limits,
	const char *const *paths, size_t n, uint64_t cap, const char *folder,
	struct err *e) NODISCARD;

/* The strings of the config's `config' object, key matched without case. */
size_t image_env(const struct image *image, const char ***env);
size_t image_entrypoint(const struct image *image, const char ***words);
/* Is it an image of Docker's or OCI's kind, in whatever container: one of a
 * config and layers? */
bool image_is_docker(const struct image *image);
/* Is it a file system alone, of whatever image? */
bool image_is_rootfs(const struct image *image);
/* NULL when there is none of that name. */
const struct attribute *
image_attribute(const struct image *image, const char *name);
/* Of a Docker image's config: "amd64", "" when not given. */
const char *image_architecture(const struct image *image);

/* Member "image" of `inspect --json': source, sha256, size, format,
 * compression, config_digest, manifest_digest, manifest_kind (null when there
 * is none), diff_ids, repo_tags, layers (each with is_read), attributes,
 * entries, items. */
void image_json(const struct image *image, struct jout *j, const char *key);

#endif
