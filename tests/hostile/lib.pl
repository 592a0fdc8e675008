# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the scripts here share: tars and docker archives made byte by byte, and
# the rows that say what each must give.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Compress::Gzip qw(gzip $GzipError);

# One tar header and its contents.  %o overrides fields of the header.
sub member {
	my ($name, $data, %o) = @_;
	my $body = $o{body} // $data;
	my $head = pack 'a100 a8 a8 a8 a12 a12 a8 a1 a100 a8 a32 a32 a8 a8 a155 x12',
		$name, $o{mode} // '0000644', $o{uid} // '0000000', '0000000',
		$o{size} // sprintf('%011o', length $data), $o{mtime} // '00000000001',
		'        ', $o{type} // '0', $o{link} // '', "ustar\0" . '00',
		'root', 'root', '0000000', '0000000', '';
	substr($head, 345, 167) = $o{tail} if $o{tail};
	substr($head, 257, 8) = $o{magic} if $o{magic};
	my $sum = unpack '%32C*', $head;
	$sum++ if $o{bad_sum};
	$sum -= 256 * ($head =~ tr/\x80-\xff//) if $o{signed_sum}; # as Sun's tar
	substr($head, 148, 8) = sprintf "%06o\0 ", $sum;
	return $head . $body . "\0" x (-length($body) % 512);
}

sub record {
	my ($text) = @_;
	my $n = length($text) + 3;
	$n++ while $n != length($text) + 2 + length $n;
	return "$n $text\n";
}

sub pax { return member('x', join('', map { record($_) } @_), type => 'x') }
sub dir { return member($_[0], '', type => '5', mode => '0000755') }
sub tar { return join('', @_) . "\0" x 1024 }
sub gz {
	my ($in) = @_;
	gzip(\$in => \my $out, -Minimal => 1) or die $GzipError;
	return $out;
}

# The members of an image of these layers, and what to change in it.
sub parts {
	my ($layers, %o) = @_;
	my @names = map { "l$_/layer.tar" } 0 .. $#$layers;
	my @ids = map { '"sha256:' . sha256_hex($_) . '"' } @{ $o{unpacked} // $layers };
	my $config = $o{config} // '{"architecture":"amd64","os":"linux",'
		. '"config":{"env":["A=b"]},"rootfs":{"type":"layers","diff_ids":['
		. join(',', @ids) . ']}}';
	my $manifest = $o{manifest} // '[{"Config":"config.json","RepoTags":["a:b"],'
		. '"Layers":[' . join(',', map { "\"$_\"" } @names) . ']}]';
	return ((map { member($names[$_], $layers->[$_]) } 0 .. $#$layers),
		member('config.json', $config), member('manifest.json', $manifest));
}

sub image { return tar(parts(@_)) }
# An image with one layer of these members.
sub of { return image([tar(@_)]) }

# Write each row's bytes to DIR/NAME and its suffix, and tell what it must give.
sub write_rows {
	my ($dir, $suffix, @rows) = @_;
	for my $row (@rows) {
		my ($name, $kind, $text, $bytes) = @$row;
		if (defined $bytes) {
			open my $f, '>:raw', "$dir/$name$suffix" or die "$dir/$name: $!\n";
			print {$f} ref $bytes ? $bytes->() : $bytes;
			close $f or die "$dir/$name: $!\n";
		}
		print "$name $kind $text\n";
	}
}

1;
