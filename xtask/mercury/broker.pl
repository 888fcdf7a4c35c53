#!/usr/bin/env perl
use strict;
use warnings;

# Limits and time-outs are those written here, whatever the caller's environment says of Mojolicious.
BEGIN { delete @ENV{ grep {/\AMOJO_/} keys %ENV } }

use Mojolicious::Lite -signatures;

use Getopt::Long qw(GetOptionsFromArray);
use Mojo::IOLoop;
use Mojo::Server::Daemon;
use Mojo::Util qw(encode);
use Mojo::WebSocket qw(WS_CLOSE WS_PING);
use Scalar::Util qw(refaddr);

# What a message may have, in bytes.
use constant MESSAGE_LIMIT => 262_144;

# How long, in seconds, clients may take to answer the Close frame of a broker that ends.
use constant FAREWELL => 2;

# A connection without traffic is ended after four hours.
use constant INACTIVITY => 14_400;

# What `--defect` takes, in the order of `--defects`.
my @DEFECTS = (
    ['stuck-rotation',   'a leaving puller moves the cursor of its queue wrong, or past the end: messages are lost'],
    ['dead-peers',       'whoever leaves a bus or a subscription is still sent everything: memory and time'],
    ['no-puller-500',    'a message to a queue without pullers is an exception: 500 for a POST'],
    ['large-post',       'a POST has no limit: over 256 KiB it is delivered, over 16 MiB cut short and delivered, 200'],
    ['header-overflow',  'too long or too many header lines: a POST delivers an empty message, 200'],
    ['origin-substring', 'an origin matches if it contains the pattern, in the same case'],
    ['binary-as-text',   'binary messages arrive as text: every byte a Latin-1 character'],
    ['invalid-as-empty', 'text that is not UTF-8 arrives as an empty text'],
    ['post-latin1',      'the body of a POST is read as Latin-1: other characters than ASCII arrive encoded twice'],
    ['multipart-empty',  'a multipart/form-data POST arrives as an empty message'],
    ['no-ping',          'nobody is ever pinged'],
    ['abrupt-end',       'the broker ends without Close frames'],
    ['crash',            'text that is not UTF-8 ends the broker (not Mercury: others of its kind do so)'],
);

my %defect;      # the names of those that are on
my @origins;     # the patterns of --allow-origin
my %peers;       # by address of the peer: everybody who is connected
my %members;     # $members{bus}{$topic}, $members{sub}{$topic}: lists of peers
my %queues;      # by topic: {pullers => [...], next => index}

# --- What is said to whom -------------------------------------------------------------------------

# Everybody on the bus but the sender, unless the sender asked for its echo. A POST has no sender.
sub send_to_bus ($topic, $message, $sender = undef) {
    for my $peer (@{ $members{bus}{$topic} // [] }) {
        deliver($peer, $message) if !$sender || $peer != $sender || $peer->{echo};
    }
    return 1;
}

# The subscribers of the topic, then those of its proper prefixes, root first. Empty parts at the end of
# a topic do not count as parts: `a/` has no prefix, so that only its own subscribers hear it.
sub publish ($topic, $message, $sender = undef) {
    my @parts = split m{/}, $topic;
    my @prefixes = map { join '/', @parts[0 .. $_] } 0 .. $#parts - 1;
    for my $name ($topic, @prefixes) {
        deliver($_, $message) for @{ $members{sub}{$name} // [] };
    }
    return 1;
}

# The puller whose turn it is. False if there is none.
sub push_message ($topic, $message, $sender = undef) {
    my $queue  = $queues{$topic};
    my $puller = $queue && $queue->{pullers}[ $queue->{next} ];
    if (!$puller) {
        die "there is no puller to send to\n" if $defect{'no-puller-500'};
        return 0;
    }
    deliver($puller, $message);
    $queue->{next} = ($queue->{next} + 1) % @{ $queue->{pullers} };
    return 1;
}

sub deliver ($peer, $message) { return $peer->{tx}->send($message) }

# --- Who is there ---------------------------------------------------------------------------------

# New pullers come last in the rotation; the turn stays where it is.
sub join_topic ($kind, $topic, $peer) {
    if ($kind eq 'pull') { push @{ ($queues{$topic} //= { pullers => [], next => 0 })->{pullers} }, $peer }
    else                 { push @{ $members{$kind}{$topic} }, $peer }
    return;
}

sub leave ($kind, $topic, $peer) {
    return if !delete $peers{ refaddr $peer };
    if    ($kind eq 'pull')                                     { leave_queue($topic, $peer) }
    elsif ($members{$kind}{$topic} && !$defect{'dead-peers'}) { leave_members($kind, $topic, $peer) }
    stop_when_alone();
    return;
}

sub leave_members ($kind, $topic, $peer) {
    my @others = grep { $_ != $peer } @{ $members{$kind}{$topic} };
    if (@others) { $members{$kind}{$topic} = \@others }
    else         { delete $members{$kind}{$topic} }
    return;
}

# The turn stays with whom it was, and passes on if it was the leaver's.
sub leave_queue ($topic, $peer) {
    my $queue   = $queues{$topic};
    my $pullers = $queue->{pullers};
    my ($index) = grep { $pullers->[$_] == $peer } 0 .. $#$pullers;
    splice @$pullers, $index, 1;
    if ($defect{'stuck-rotation'}) {
        $queue->{next}-- if $index > 0 && $queue->{next} >= $index;
        return;
    }
    $queue->{next}-- if $queue->{next} > $index;
    $queue->{next} = 0 if $queue->{next} >= @$pullers;
    delete $queues{$topic} if !@$pullers;
    return;
}

# --- The origin -----------------------------------------------------------------------------------

# `[scheme://]host[:port]` as a regular expression for origins with a port; undef if the pattern is none.
sub origin_rule ($pattern) {
    return qr/./s        if $pattern eq '*';
    return qr/\Anull\z/  if $pattern eq 'null';
    my ($scheme, $host, $port) =
        $pattern =~ m{\A(?:([a-z*][a-z0-9+.*-]*)://)?([a-z0-9_*][a-z0-9_*.-]*)(?::(\d+|\*))?\z}i or return undef;
    my $glob = sub ($text, $any) { join $any, map {quotemeta} split /\*/, $text, -1 };
    # A bare name covers its sub-domains.
    my $sub_domains = !$scheme && $host !~ /\*/ ? '(?:[^/:]+\.)?' : '';
    my $scheme_rule = $scheme ? $glob->($scheme, '[^/:]*') : '[^/:]+';
    my $port_rule   = !$port || $port eq '*' ? '(?::\d+)?' : ":$port";
    my $host_rule   = $glob->($host, '[^/:]*');
    return qr{\A$scheme_rule://$sub_domains$host_rule$port_rule\z}i;
}

sub contains_rule ($pattern) {
    my $any = join '.*', map {quotemeta} split /\*/, $pattern, -1;
    return qr/$any/;
}

# Without patterns everything is allowed; with patterns a missing origin is refused.
sub origin_allowed ($origin) {
    return 1 if !@origins;
    return 0 if !$origin;
    if ($defect{'origin-substring'}) {
        return scalar grep { $origin =~ contains_rule($_) } @origins;
    }
    my %default = (http => 80, https => 443);
    $origin =~ s{\A(https?)://([^/:]+)\z}{"$1://$2:$default{lc $1}"}ei;
    return scalar grep { $origin =~ origin_rule($_) } @origins;
}

# --- WebSockets -----------------------------------------------------------------------------------

# Serves one peer: a member before its handshake is answered, gone before its Close frame is. What it sends
# is given to $receive, or ignored.
sub serve_peer ($c, $kind, $receive) {
    my $topic = $c->stash('topic');
    my $peer  = { tx => $c->tx, echo => $c->req->query_params->param('echo') };
    $peers{ refaddr $peer } = $peer;
    join_topic($kind, $topic, $peer) if $kind =~ /\A(?:bus|sub|pull)\z/;

    $c->tx->on(frame => sub ($tx, $frame) { leave($kind, $topic, $peer) if $frame->[4] == WS_CLOSE });
    $c->tx->on(finish => sub ($tx, @) { leave($kind, $topic, $peer) });
    $c->tx->on(text => sub ($tx, $bytes) {
        my $message = $peers{ refaddr $peer } && text_message($bytes);
        return reject($kind, $topic, $peer) if !$message;
        $receive->($topic, $message, $peer) if $receive;
    });
    $c->tx->on(binary => sub ($tx, $bytes) {
        $receive->($topic, binary_message($bytes), $peer) if $receive && $peers{ refaddr $peer };
    });
    $c->rendered(101);
    return;
}

# Text that is not UTF-8 (RFC 6455 8.1).
sub reject ($kind, $topic, $peer) {
    return if !$peers{ refaddr $peer };
    leave($kind, $topic, $peer);
    $peer->{tx}->finish(1007);
    return;
}

sub text_message ($bytes) {
    return { text => $bytes } if is_utf8($bytes);
    kill 'KILL', $$ if $defect{crash};
    return $defect{'invalid-as-empty'} ? { text => '' } : undef;
}

sub binary_message ($bytes) {
    return $defect{'binary-as-text'} ? { text => encode('UTF-8', $bytes) } : { binary => $bytes };
}

sub is_utf8 ($bytes) {
    my $text = $bytes;
    # Perl's own form of UTF-8 also knows surrogates and more than Unicode has.
    return utf8::decode($text) && $text !~ /[^\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]/;
}

# --- POST -----------------------------------------------------------------------------------------

# One message. 503 if nobody could take it.
sub take_post ($c, $send) {
    my $body = $c->req->body;
    return refuse($c, 413, 'Payload Too Large') if length $body > MESSAGE_LIMIT && !$defect{'large-post'};
    my $message = post_message($c, $body) or return refuse($c, 400, 'Bad Request: the body is not UTF-8');
    return refuse_for_now($c) if !$send->($c->stash('topic'), $message);
    return $c->render(text => '');
}

sub post_message ($c, $body) {
    return { text => encode('UTF-8', $body) } if $defect{'post-latin1'};
    return binary_message($body) if ($c->req->headers->content_type // '') =~ m{\Aapplication/octet-stream\b}i;
    return is_utf8($body) ? { text => $body } : undef;
}

# RFC 9110 15.6.4: when to come again.
sub refuse_for_now ($c) {
    $c->res->headers->header('Retry-After' => 1);
    return refuse($c, 503, 'Service Unavailable: nobody pulls');
}

sub refuse ($c, $status, $text) {
    $c->render(text => $text, status => $status);
    return;
}

# A request that was cut off at a limit (of Mojolicious) has an error; without this it would be served as it is.
sub whole ($c) {
    my $error = $c->req->error or return 1;
    # A body that was cut off is still longer than a message may be.
    return 1 if $error->{message} =~ /message size/ || $defect{'header-overflow'};
    return refuse($c, $error->{message} =~ /start-line size/ ? 414 : 431, $error->{message});
}

# --- The routes -----------------------------------------------------------------------------------

app->mode('production');
app->log->level('warn');
app->static->paths([])->classes([]);
app->secrets(['no cookie is ever set']);

hook after_build_tx => sub ($tx, $app) {
    $tx->req->content->auto_upgrade(0) if !$defect{'multipart-empty'};
};

hook before_dispatch => sub ($c) { whole($c) };

under sub ($c) {
    return 1 if origin_allowed($c->req->headers->origin);
    return refuse($c, 401, 'Origin check failed');
};

# `*topic` is everything after the second slash, decoded, and at least one character.
websocket '/bus/*topic'  => sub ($c) { serve_peer($c, 'bus', \&send_to_bus) };
websocket '/pub/*topic'  => sub ($c) { serve_peer($c, 'pub', \&publish) };
websocket '/push/*topic' => sub ($c) { serve_peer($c, 'push', \&push_message) };
websocket '/sub/*topic'  => sub ($c) { serve_peer($c, 'sub', undef) };
websocket '/pull/*topic' => sub ($c) { serve_peer($c, 'pull', undef) };

post '/bus/*topic'  => sub ($c) { take_post($c, \&send_to_bus) };
post '/pub/*topic'  => sub ($c) { take_post($c, \&publish) };
post '/push/*topic' => sub ($c) { take_post($c, \&push_message) };

# --- The program ----------------------------------------------------------------------------------

my $ending;

exit main(@ARGV);

sub main (@arguments) {
    my $options = parse(\@arguments) or return 2;
    return show_defects() if $options->{defects};
    return show_usage()   if $options->{help};
    %defect  = map { $_ => 1 } @{ $options->{defect} };
    @origins = origins($options);
    start_pings($options->{ping}) if !$defect{'no-ping'};
    return run($options->{listen});
}

# The options, or undef after a message.
sub parse ($arguments) {
    my %options = ('allow-origin' => [], defect => [], listen => 'http://127.0.0.1:0', ping => 300);
    local $SIG{__WARN__} = sub ($text) { print STDERR "broker.pl: $text" };
    GetOptionsFromArray($arguments, \%options,
        'listen=s', 'allow-origin=s@', 'defect=s@', 'defects', 'ping=f', 'help') or return undef;
    my $problem = problem_of(\%options, $arguments) or return \%options;
    print STDERR "broker.pl: $problem\n";
    return undef;
}

# Several may stand in one argument, with commas between them; an empty one says nothing.
sub origins ($options) { return map { split /,/ } @{ $options->{'allow-origin'} } }

sub problem_of ($options, $rest) {
    return "$rest->[0] is no option; --help lists them" if @$rest;
    return "--listen takes http://ADDRESS:PORT, and not $options->{listen}"
        if $options->{listen} !~ m{\Ahttp://[^/:?]+:(\d{1,5})\z} || $1 > 65_535;
    return '--ping takes a number of seconds above 0' if $options->{ping} <= 0;
    my %known = map { $_->[0] => 1 } @DEFECTS;
    my ($unknown) = grep { !$known{$_} } @{ $options->{defect} };
    return "there is no defect $unknown; --defects lists them" if defined $unknown;
    my ($strange) = grep { !origin_rule($_) } origins($options);
    return "$strange is no origin pattern; write [SCHEME://]HOST[:PORT]" if defined $strange;
    return undef;
}

sub show_defects () {
    printf "%-17s %s\n", @$_ for @DEFECTS;
    return 0;
}

sub show_usage () {
    require Pod::Usage;
    Pod::Usage::pod2usage(-verbose => 1, -exitval => 'NOEXIT', -output => \*STDOUT);
    return 0;
}

sub start_pings ($seconds) {
    Mojo::IOLoop->recurring($seconds => sub ($loop) {
        $_->{tx}->send([1, 0, 0, 0, WS_PING, 'Still alive!']) for values %peers;
    });
    return;
}

sub run ($listen) {
    my ($host, $port) = $listen =~ m{\A(.*):(\d+)\z};
    # Without a port the system chooses a free one.
    my $address = $port ? $listen : $host;
    my $daemon  = Mojo::Server::Daemon->new(
        app => app, listen => [$address], silent => 1, inactivity_timeout => INACTIVITY);
    if (!eval { $daemon->start; 1 }) {
        print STDERR "broker.pl: $listen: $@";
        return 1;
    }
    local $SIG{INT} = local $SIG{TERM} = sub { end($daemon) };
    # Wakes the loop, so that a signal is seen soon whatever the loop is made of.
    Mojo::IOLoop->recurring(0.1 => sub { });
    STDOUT->autoflush(1);
    print "listening on $host:", $daemon->ports->[0], "\n";
    Mojo::IOLoop->start;
    return 0;
}

# Says good-bye to everybody, and ends when they answered.
sub end ($daemon) {
    return Mojo::IOLoop->stop if $ending++ || $defect{'abrupt-end'};
    $daemon->stop;
    Mojo::IOLoop->timer(FAREWELL, sub ($loop) { $loop->stop });
    $_->{tx}->finish(1001) for values %peers;
    stop_when_alone();
    return;
}

sub stop_when_alone () {
    Mojo::IOLoop->next_tick(sub ($loop) { $loop->stop }) if $ending && !%peers;
    return;
}

__END__

=encoding utf8

=head1 NAME

broker.pl - a small broker that speaks as Mercury does, to test clients with

=head1 SYNOPSIS

    perl broker.pl [OPTION...]

    --listen http://ADDRESS:PORT   where to listen; port 0, the default on 127.0.0.1, is a free one
    --allow-origin PATTERN,...     [SCHEME://]HOST[:PORT], where * stands for any characters; repeatable
    --ping SECONDS                 how often everybody is pinged; 300 if not given
    --defect NAME                  do it wrong, as the original does; repeatable
    --defects                      list the names
    --help                         this text

=head1 DESCRIPTION

It prints one line when it is ready:

    listening on http://127.0.0.1:PORT

and ends on SIGTERM and SIGINT: it says 1001 to everybody, and exits with 0. Wrong arguments are exit status 2.

    /bus/TOPIC    WebSocket: to all others; with ?echo=1 to oneself too.  POST: to all
    /pub/TOPIC    WebSocket, POST: to the subscribers of the topic and of its ancestors
    /sub/TOPIC    WebSocket: what is published to the topic and below
    /push/TOPIC   WebSocket, POST: to one puller
    /pull/TOPIC   WebSocket: takes turns with the other pullers, in the order in which they joined

The three pairs have topics of their own. A topic is everything after the second slash, decoded; only those of
C</pub> and C</sub> have ancestors. Membership begins before the handshake is answered, and ends before a Close frame
is. Nothing is kept for those who come later.

A POST is answered 200 with an empty body; 401 if its origin is refused; 413 over 262144 bytes; 400 if it is not
UTF-8 (unless its type is C<application/octet-stream>, which makes it binary); 503 if it was pushed and nobody
pulls. A WebSocket message over 262144 bytes ends its connection with 1009, and text that is not UTF-8 with 1007.
Everything else is 404.

=head1 DEFECTS

Without C<--defect> the broker does what Mercury's documents say, and what its users would want where they say
nothing. Each defect is one thing that Mercury was seen to do instead (version 0.017-dev).

What Mercury does because Mojolicious does it is done here too, and cannot be switched: handshakes without key or
version are taken, broken frames are tolerated, and slow readers are buffered for without bound.

=head1 COPYRIGHT

Part of Petasus, under its licences: MIT or Apache-2.0, at your option. Written from the description of Mercury's
behaviour, without its sources.

=cut
